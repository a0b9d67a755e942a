# The sweep, where the configuration has one: a job trains a batch of ensembles, so that it pays
# for its start only once.

if sweep:

    wildcard_constraints:
        batch="|".join(BATCHES),

    rule sweep_batch:
        input:
            sources("hrta.study.experiments.sweep", "hrta.runtime.files", ENGINES[ENGINE][0]),
            swept_problems,
        output:
            runs="results/sweep/{batch}.parquet",
            provenance="results/sweep/{batch}.json",
        log:
            "logs/sweep/{batch}.log",
        benchmark:
            "results/benchmarks/sweep/{batch}.tsv"
        group:
            "sweep"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            gpu=GPU,
            mem_mb=more_each_try(2000),
            runtime=more_each_try(60),
        params:
            options=sweep_options,
        message:
            "Training the ensembles of {wildcards.batch}."
        shell:
            "exec python -m hrta sweep {params.options}"
            " --output {output.runs} --parent $PPID > {log} 2>&1"

    rule sweep:
        input:
            ITEMS["figure_sweep"].files,
