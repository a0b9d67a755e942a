# The neighbouring papers' methods: real data, and their own claims.

from hrta.problems.datasets import INCLUDED


wildcard_constraints:
    dataset="|".join(INCLUDED),
    variant="|".join(siblings.adaptive_slopes.variants),
    accelerated="|".join(siblings.acceleration.problems),
    raced="|".join(siblings.race.problems),


rule data_set:
    input:
        sources("hrta.problems.datasets", "hrta.runtime.files"),
    output:
        problem="data/{dataset}.parquet",
        checksum="data/{dataset}.parquet.sha256",
    log:
        "logs/data/{dataset}.log",
    group:
        "data"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=more_each_try(1000),
        runtime=more_each_try(10),
    message:
        "Standardising the data set {wildcards.dataset}."
    shell:
        "exec python -m hrta data {wildcards.dataset} --output {output.problem} > {log} 2>&1"


rule slopes:
    input:
        sources("hrta.study.experiments.slopes", "hrta.runtime.files"),
        problem=f"data/{siblings.adaptive_slopes.experiment}.parquet",
    output:
        errors="results/slopes/{variant}.parquet",
        provenance="results/slopes/{variant}.json",
        solutions="results/slopes/{variant}_solutions.parquet",
    log:
        "logs/slopes/{variant}.log",
    benchmark:
        "results/benchmarks/slopes/{variant}.tsv"
    priority: 10**6
    group:
        "siblings"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(2000),
        runtime=more_each_try(30),
    params:
        options=slopes_options,
    message:
        "Training deep networks with adaptive slopes: {wildcards.variant}."
    shell:
        "exec python -m hrta slopes --problem {input.problem} {params.options}"
        " --output {output.errors} --solutions {output.solutions} --parent $PPID > {log} 2>&1"


rule acceleration:
    input:
        sources("hrta.study.experiments.acceleration", "hrta.runtime.files", "hrta.problems.datasets", "hrta.training.engines.numba_engine"),
    output:
        table="results/acceleration/{accelerated}.parquet",
        provenance="results/acceleration/{accelerated}.json",
    log:
        "logs/acceleration/{accelerated}.log",
    benchmark:
        "results/benchmarks/acceleration/{accelerated}.tsv"
    group:
        "siblings"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(2000),
        runtime=more_each_try(30),
    params:
        fingerprint=acceleration_fingerprint,
        options=acceleration_options,
    message:
        "Racing Nesterov against heavy ball on {wildcards.accelerated}."
    shell:
        "exec python -m hrta acceleration {params.options} --output {output.table}"
        " --parent $PPID > {log} 2>&1"


rule anmin:
    input:
        sources("hrta.anmin", "hrta.runtime.files"),
        problem="data/{raced}.parquet",
    output:
        table="results/anmin/{raced}.parquet",
        provenance="results/anmin/{raced}.json",
    log:
        "logs/anmin/{raced}.log",
    benchmark:
        "results/benchmarks/anmin/{raced}.tsv"
    group:
        "siblings"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=more_each_try(2000),
        runtime=more_each_try(30),
    params:
        options=" ".join(
            options_of(siblings.alternation, "width", "rounds", "ridge", "leak", "seeds")
        ),
    message:
        "Following ANMIN round by round on {wildcards.raced}."
    shell:
        "exec python -m hrta anmin --problem {input.problem} {params.options}"
        " --output {output.table} --parent $PPID > {log} 2>&1"
