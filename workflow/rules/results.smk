# The results, each from its spec. The other rules are based on the first one.


rule spectra:
    input:
        lambda wildcards: PLAN[wildcards.job].inputs,
    output:
        table="results/{job}.parquet",
        record="results/{job}.json",
    log:
        "logs/{job}.log",
    benchmark:
        "results/benchmarks/{job}.tsv"
    wildcard_constraints:
        job=PLAN.pattern("spectra"),
    priority: lambda wildcards: PLAN[wildcards.job].priority
    group:
        "theory"
    threads: 1
    resources:
        mem_mb=more_each_try(2000),
        runtime=more_each_try(15),
    params:
        spec=lambda wildcards: PLAN[wildcards.job].spec.json_text,
        checkpoint=lambda wildcards: PLAN[wildcards.job].checkpoint,
    message:
        "Computing the eigenvalues of tangent kernels: {wildcards.job}."
    shell:
        "exec python -m hrta run {params.spec:q} --output {output.table} {params.checkpoint}"
        " --mark-broken --parent $PPID > {log} 2>&1"


use rule spectra as train with:
    wildcard_constraints:
        job=PLAN.pattern("train"),
    group:
        "train"
    threads: max(1, (workflow.cores or 1) // len(PLAN.of_kind("train")))
    resources:
        gpu=lambda wildcards: PLAN[wildcards.job].gpu,
        mem_mb=more_each_try(2000 + GPU_MEMORY * STUDY.gpu),
        runtime=more_each_try(30),
    message:
        "Training an ensemble: {wildcards.job}."


use rule spectra as sweep_batch with:
    wildcard_constraints:
        job=PLAN.pattern("sweep"),
    group:
        "sweep"
    resources:
        gpu=lambda wildcards: PLAN[wildcards.job].gpu,
        mem_mb=more_each_try(2000 + GPU_MEMORY * STUDY.gpu),
        runtime=more_each_try(60),
    message:
        "Training many small ensembles: {wildcards.job}."


use rule spectra as race with:
    output:
        table="results/{job}.parquet",
        record="results/{job}.json",
        tuning="results/{job}_tuning.parquet",
    wildcard_constraints:
        job=PLAN.pattern("race"),
    group:
        "race"
    resources:
        gpu=lambda wildcards: PLAN[wildcards.job].gpu,
        mem_mb=more_each_try(2500 + GPU_MEMORY * STUDY.gpu),
        runtime=more_each_try(30),
    message:
        "Tuning and training the methods of a race: {wildcards.job}."


use rule spectra as poisson with:
    output:
        table="results/{job}.parquet",
        record="results/{job}.json",
        solutions="results/{job}_solutions.parquet",
    wildcard_constraints:
        job=PLAN.pattern("poisson"),
    group:
        "poisson"
    resources:
        gpu=lambda wildcards: PLAN[wildcards.job].gpu,
        mem_mb=more_each_try(2500 + GPU_MEMORY * STUDY.gpu),
        runtime=more_each_try(60),
    message:
        "Solving a Poisson problem: {wildcards.job}."


use rule spectra as slopes with:
    output:
        table="results/{job}.parquet",
        record="results/{job}.json",
        solutions="results/{job}_solutions.parquet",
    wildcard_constraints:
        job=PLAN.pattern("slopes"),
    group:
        "siblings"
    resources:
        gpu=lambda wildcards: PLAN[wildcards.job].gpu,
        mem_mb=more_each_try(2000 + GPU_MEMORY * STUDY.gpu),
        runtime=more_each_try(30),
    message:
        "Training deep networks with adaptive slopes: {wildcards.job}."


use rule spectra as acceleration with:
    wildcard_constraints:
        job=PLAN.pattern("acceleration"),
    group:
        "siblings"
    resources:
        gpu=lambda wildcards: PLAN[wildcards.job].gpu,
        mem_mb=more_each_try(2000 + GPU_MEMORY * STUDY.gpu),
        runtime=more_each_try(30),
    message:
        "Training by heavy ball and Nesterov: {wildcards.job}."


use rule spectra as anmin with:
    wildcard_constraints:
        job=PLAN.pattern("anmin"),
    group:
        "siblings"
    resources:
        mem_mb=more_each_try(2000),
        runtime=more_each_try(30),
    message:
        "Running ANMIN round by round: {wildcards.job}."
