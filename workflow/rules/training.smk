def runs_of(experiments):
    """The results of all ensembles of these experiments."""
    return [
        f"results/runs/{name}/{optimizer}/width{width}.parquet"
        for name in experiments
        for optimizer in settings.experiments[name].optimizers
        for width in settings.experiments[name].widths.value
    ]


def training_options(wildcards):
    """What the command line is to be given, beyond the wildcards, as one string."""
    experiment = settings.experiments[wildcards.experiment]
    optimizer = settings.optimizers[wildcards.optimizer]
    options = {
        "learning-rate": optimizer.learning_rate.value,
        "decay": settings.training.decay.value,
        "stage-steps": settings.training.stage_steps.value,
        "log-every": settings.training.log_every.value,
        "seeds": settings.seeds.value,
        "dtype": settings.dtype,
        "device": settings.device,
    }
    if optimizer.momentum is not None:
        options["momentum"] = optimizer.momentum.value
    methods = [
        f"--method {name}=" + ",".join(f"{s:.15g}" for s in settings.methods[name].s)
        for name in experiment.methods
    ]
    return " ".join([*methods, *(f"--{key} {value}" for key, value in options.items())])


def training_cost(wildcards):
    """Large ensembles first, so that none of them is left over at the end."""
    return int(wildcards.width) * settings.experiments[wildcards.experiment].points.value


rule train:
    message:
        "Training {wildcards.experiment} with {wildcards.optimizer}, width {wildcards.width}."
    input:
        sources("hrta.ensembles", "hrta.results"),
        problem="data/{experiment}.parquet",
    output:
        runs="results/runs/{experiment}/{optimizer}/width{width}.parquet",
        provenance="results/runs/{experiment}/{optimizer}/width{width}.json",
    log:
        "logs/train/{experiment}/{optimizer}/width{width}.log",
    benchmark:
        "results/benchmarks/train/{experiment}/{optimizer}/width{width}.tsv"
    params:
        options=training_options,
    priority: training_cost
    threads: 1
    resources:
        gpu=wants_gpu(),
        mem_mb=2000,
    shell:
        "exec python -m hrta train --problem {input.problem} --experiment {wildcards.experiment}"
        " --optimizer {wildcards.optimizer} --width {wildcards.width} {params.options}"
        " --output {output.runs} --parent $PPID > {log} 2>&1"
