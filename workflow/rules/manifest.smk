# How everything came to be: hashes, commands, versions, seeds, times.


rule manifest:
    input:
        sources("hrta.study.pipeline.manifest", "hrta.runtime.files"),
        recorded_files,
        script=ROOT / "workflow/scripts/write_manifest.py",
        configuration=configuration_files,
    output:
        "results/manifest/manifest.json",
    log:
        "logs/manifest/manifest.log",
    group:
        "record"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(500),
        runtime=more_each_try(10),
    params:
        jobs=recorded_jobs_as_json,
        code=ROOT,
    message:
        "Recording how everything came to be."
    shell:
        "exec python {input.script:q} --jobs {params.jobs:q} --configuration {input.configuration:q}"
        " --code {params.code:q} --output {output} > {log} 2>&1"


rule crate_description:
    input:
        sources("hrta.study.pipeline.manifest", "hrta.runtime.files"),
        recorded_files,
        parts=ROOT / "workflow/scripts/crate.py",
        script=ROOT / "workflow/scripts/write_crate.py",
        manifest=rules.manifest.output,
        code=code_files,
    output:
        "results/manifest/ro-crate-metadata.json",
    log:
        "logs/manifest/crate_description.log",
    group:
        "record"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(500),
        runtime=more_each_try(10),
    params:
        code=ROOT,
    message:
        "Describing the run as a Workflow RO-Crate."
    shell:
        "exec python {input.script:q} {input.manifest} --code {params.code:q} --more {input.code:q}"
        " --output {output} > {log} 2>&1"


rule crate:
    input:
        sources("hrta.study.pipeline.manifest", "hrta.runtime.files"),
        recorded_files,
        parts=ROOT / "workflow/scripts/crate.py",
        script=ROOT / "workflow/scripts/write_crate.py",
        manifest=rules.manifest.output,
        code=code_files,
        later=later_files,
    output:
        "results/crate.zip",
    log:
        "logs/manifest/crate.log",
    group:
        "record"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(500),
        runtime=more_each_try(10),
    params:
        code=ROOT,
    message:
        "Packing the workflow and all that it made into {output}."
    shell:
        "exec python {input.script:q} {input.manifest} --code {params.code:q} --more {input.code:q}"
        " {input.later:q} --output {output} > {log} 2>&1"
