# The provenance of all files: hashes, commands, versions, seeds, times.


rule manifest:
    input:
        sources("hrta.study.pipeline.recording"),
        recorded=lambda wildcards: RECORDED.files,
        configuration=RECORDED.configuration,
    output:
        "results/manifest/manifest.json",
    log:
        "logs/manifest/manifest.log",
    benchmark:
        "results/benchmarks/manifest.tsv"
    group:
        "record"
    threads: 1
    resources:
        mem_mb=more_each_try(500),
        runtime=more_each_try(10),
    params:
        jobs=lambda wildcards: RECORDED.jobs_json,
        code=workflow_file(),
    message:
        "Recording the provenance of all files."
    shell:
        "exec python -m hrta.study.pipeline manifest <(printf %s {params.jobs:q})"
        " {input.configuration:q} --code {params.code:q} --output {output} > {log} 2>&1"


rule crate_description:
    input:
        sources("hrta.study.pipeline.archive"),
        recorded=lambda wildcards: RECORDED.files,
        manifest="results/manifest/manifest.json",
        code=lambda wildcards: code_files(),
    output:
        "results/manifest/ro-crate-metadata.json",
    log:
        "logs/manifest/crate_description.log",
    benchmark:
        "results/benchmarks/crate_description.tsv"
    group:
        "record"
    threads: 1
    resources:
        mem_mb=more_each_try(500),
        runtime=more_each_try(10),
    params:
        code=workflow_file(),
    message:
        "Describing the run as a Workflow RO-Crate: {output}."
    shell:
        "exec python -m hrta.study.pipeline crate {input.manifest} {input.code:q}"
        " --code {params.code:q} --output {output} > {log} 2>&1"


use rule crate_description as crate with:
    input:
        sources("hrta.study.pipeline.archive"),
        recorded=lambda wildcards: RECORDED.files,
        manifest="results/manifest/manifest.json",
        code=lambda wildcards: [*code_files(), *REPORT],
    output:
        "results/crate.zip",
    log:
        "logs/manifest/crate.log",
    benchmark:
        "results/benchmarks/crate.tsv"
    message:
        "Packing the workflow and all its outputs: {output}."
