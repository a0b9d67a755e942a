# The points of all problems, sampled or from data sets.


rule data:
    input:
        lambda wildcards: PLAN[wildcards.job].sources,
    output:
        problem="{job}.parquet",
        checksum="{job}.parquet.sha256",
    log:
        "logs/{job}.log",
    benchmark:
        "results/benchmarks/{job}.tsv"
    wildcard_constraints:
        job=PLAN.pattern("data"),
    group:
        "data"
    resources:
        mem_mb=more_each_try(1000),
        runtime=more_each_try(10),
    params:
        spec=lambda wildcards: PLAN[wildcards.job].spec.json_text,
    message:
        "Making the points of {wildcards.job}."
    shell:
        "exec python -m hrta run {params.spec:q} --output {output.problem} --mark-broken --parent $PPID"
        " > {log} 2>&1"
