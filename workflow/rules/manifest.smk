# How everything came to be: hashes, commands, versions, seeds, times.


rule manifest:
    input:
        sources("hrta.manifest"),
        recorded_files,
        script=ROOT / "workflow/scripts/write_manifest.py",
        configuration=configuration_files,
    output:
        "results/manifest/manifest.json",
    log:
        "logs/manifest/manifest.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
    params:
        jobs=recorded_jobs_as_json,
        code=ROOT,
    message:
        "Recording how everything came to be."
    shell:
        "exec python {input.script:q} --jobs {params.jobs:q} --configuration {input.configuration:q}"
        " --code {params.code:q} --output {output} > {log} 2>&1"
