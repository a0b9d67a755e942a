# The Poisson problem: a job for each problem and quadrature.


wildcard_constraints:
    poisson="|".join(settings.poisson.problems),
    quadrature="|".join(settings.poisson.quadratures),


rule poisson:
    input:
        poisson_sources(),
    output:
        runs="results/poisson/{poisson}_{quadrature}.parquet",
        provenance="results/poisson/{poisson}_{quadrature}.json",
        solutions="results/poisson/{poisson}_{quadrature}_solutions.parquet",
    log:
        "logs/poisson/{poisson}_{quadrature}.log",
    benchmark:
        "results/benchmarks/poisson/{poisson}_{quadrature}.tsv"
    priority: 10**7
    group:
        "poisson"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(2500),
        runtime=more_each_try(60),
    params:
        options=poisson_options,
        checkpoint=poisson_checkpoint,
    message:
        "Solving {wildcards.poisson} with quadrature {wildcards.quadrature}."
    shell:
        "exec python -m hrta poisson {params.options} --quadrature {wildcards.quadrature}"
        " --experiment {wildcards.poisson}_{wildcards.quadrature}"
        " --output {output.runs} --solutions {output.solutions}"
        " --checkpoint {params.checkpoint} --parent $PPID > {log} 2>&1"
