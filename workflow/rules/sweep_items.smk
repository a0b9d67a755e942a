# The sweep, where the configuration has one: its batches, its figure and table.

sweep = settings.sweep
BATCHES = {
    f"{optimizer}/batch{number:03}": (optimizer, batch)
    for optimizer, batches in (sweep.batches if sweep else {}).items()
    for number, batch in enumerate(batches)
}
SWEPT = [f"results/sweep/{batch}.parquet" for batch in BATCHES]


def swept_problems(wildcards):
    """The points of the experiments of a batch."""
    _, batch = BATCHES[wildcards.batch]
    return list(dict.fromkeys(f"data/{experiment}.parquet" for experiment, *_ in batch))


def sweep_options(wildcards):
    """What the command line is to be given, beyond the wildcards, as one string."""
    optimizer, batch = BATCHES[wildcards.batch]
    momentum = settings.optimizers[optimizer].momentum
    return " ".join(
        [
            f"--optimizer {optimizer}",
            *([] if momentum is None else [f"--momentum {momentum.value}"]),
            *(f"--ensemble data/{name}.parquet:{m}:{rate:.15g}:{s}" for name, m, rate, s in batch),
            *method_options(dict.fromkeys(s for *_, s in batch), sweep.methods),
            *options_of(sweep, "seeds", "stage_steps", "log_every"),
            *options_of(settings.training, "decay"),
            f"--dtype {settings.dtype} --device {settings.device} --engine {settings.engine}",
        ]
    )


if sweep:
    add_items(
        {
            "figure_sweep": Item(
                "sweep",
                {"figure": "figures/sweep", "table": "tables/sweep"},
                SWEPT,
                {
                    "runs": SWEPT,
                    "experiments": labels(settings.experiments, sweep.experiments),
                    "methods": labels(sweep.methods, sweep.methods),
                    "optimizers": labels(settings.optimizers, sweep.learning_rates),
                }
                | at_the_end,
            )
        }
    )
