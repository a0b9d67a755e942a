rule data:
    input:
        sources("hrta.runtime.files"),
    output:
        problem="data/{experiment}.parquet",
        checksum="data/{experiment}.parquet.sha256",
    log:
        "logs/data/{experiment}.log",
    group:
        "data"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=more_each_try(1000),
        runtime=more_each_try(10),
    params:
        fingerprint=fingerprint,
        name=lambda wildcards: settings.experiments[wildcards.experiment].problem,
        points=lambda wildcards: settings.experiments[wildcards.experiment].points.value,
        test_points=lambda wildcards: settings.experiments[wildcards.experiment].test_points.value,
    message:
        "Sampling the problem of {wildcards.experiment}."
    shell:
        "exec python -m hrta data {params.name} --points {params.points}"
        " --test-points {params.test_points} --output {output.problem} > {log} 2>&1"
