rule train:
    input:
        training_sources(),
        problem="data/{experiment}.parquet",
    output:
        runs="results/runs/{experiment}/{optimizer}/width{width}.parquet",
        provenance="results/runs/{experiment}/{optimizer}/width{width}.json",
    log:
        "logs/train/{experiment}/{optimizer}/width{width}.log",
    benchmark:
        "results/benchmarks/train/{experiment}/{optimizer}/width{width}.tsv"
    priority: training_cost
    group:
        "train"
    conda:
        "../../environment.yml"
    threads: max(1, (workflow.cores or 1) // len(runs_of(settings.experiments)))
    resources:
        gpu=GPU,
        mem_mb=more_each_try(2000),
        runtime=more_each_try(30),
    params:
        options=training_options,
        checkpoint=training_checkpoint,
    message:
        "Training {wildcards.experiment} with {wildcards.optimizer}, width {wildcards.width}."
    shell:
        "exec python -m hrta train --problem {input.problem} --experiment {wildcards.experiment}"
        " --optimizer {wildcards.optimizer} --width {wildcards.width} {params.options}"
        " --output {output.runs} --checkpoint {params.checkpoint} --parent $PPID > {log} 2>&1"
