# Every figure and table of the replication: its notebook, its inputs, its parameters.

import json
from dataclasses import dataclass

EVERY = list(settings.experiments)
PAPER = [name for name in EVERY if settings.experiments[name].paper] or EVERY


@dataclass
class Item:
    """A figure or table: its notebook, and what that is run with.

    writes: parameter of the notebook and stem of the files that it writes there.
    more: what is added to those stems, where the notebook writes several files of each.
    """

    notebook: str
    writes: dict
    results: list
    parameters: dict
    more: tuple = ("",)

    @property
    def files(self):
        return [
            f"{stem}{more}.{suffix}"
            for stem in self.writes.values()
            for more in self.more
            for suffix in (("pdf", "png") if stem.startswith("figures/") else ("csv", "md"))
        ]


def labels(models, names):
    return {name: models[name].label for name in dict.fromkeys(names)}


def about_runs(notebook, writes, experiments, **parameters):
    """An item made from the training results of these experiments."""
    chosen = [settings.experiments[name] for name in experiments]
    runs = runs_of(experiments)
    parameters |= {
        "runs": runs,
        "experiments": labels(settings.experiments, experiments),
        "methods": labels(settings.methods, [m for each in chosen for m in each.methods]),
        "optimizers": labels(settings.optimizers, [o for each in chosen for o in each.optimizers]),
    }
    return Item(notebook, writes, runs, parameters)


def about_spectra(notebook, figure):
    """An item made from the spectra of all experiments."""
    spectra = [f"results/spectra/{name}.parquet" for name in EVERY]
    experiments = labels(settings.experiments, EVERY)
    return Item(
        notebook,
        {"figure": figure},
        spectra,
        {"spectra": spectra, "experiments": experiments},
    )


at_first_rate = {
    "learning_rates": {
        name: optimizer.learning_rates.value[0] for name, optimizer in settings.optimizers.items()
    }
}
at_the_end = {"fraction": settings.training.final_fraction.value}
compared = at_the_end | {"baseline": settings.baseline}

# By the name to ask for; width and table have a twin with all experiments.
ITEMS = {
    "figure_activations": Item("activations", {"figure": "figures/activations"}, [], {}),
    "figure_eigenvalues": about_spectra("eigenvalues", "figures/eigenvalues"),
    "figure_spectra": about_spectra("spectra", "figures/spectra"),
}
for suffix, experiments in (("", PAPER), ("_all", EVERY)):
    ITEMS[f"figure_width{suffix}"] = about_runs(
        "width",
        {"figure": f"figures/width{suffix}"},
        experiments,
        **at_first_rate,
        **at_the_end,
    )
    ITEMS[f"table_final_losses{suffix}"] = about_runs(
        "final_losses",
        {"table": f"tables/final_losses{suffix}", "ratios": f"tables/ratios{suffix}"},
        experiments,
        **compared,
    )


def about_theory(notebook, results, stems, experiments, **parameters):
    """An item made from tables of the tangent-kernel theory."""
    parameters |= {
        "results_files": results,
        "experiments": labels(settings.experiments, experiments),
    }
    return Item(notebook, stems, results, parameters)


def figure_and_table(name):
    return {"figure": f"figures/{name}", "table": f"tables/{name}"}


ITEMS |= {
    "figure_conditioning": about_theory(
        "conditioning",
        [f"results/spectra/{name}.parquet" for name in EVERY],
        figure_and_table("conditioning"),
        EVERY,
    ),
    "figure_width_limit": about_theory(
        "width_limit",
        theory_tables("width"),
        figure_and_table("width_limit"),
        theory.width_limit.experiments,
    ),
    "figure_sample_number": about_theory(
        "sample_number",
        theory_tables("samples"),
        figure_and_table("sample_number"),
        theory.sample_number.experiments,
    ),
    "figure_motion": about_theory(
        "motion",
        theory_tables("motion"),
        figure_and_table("motion") | {"steps_figure": "figures/motion_steps"},
        [theory.motion.experiment],
        methods=labels(settings.methods, theory.motion.methods),
        optimizers=labels(settings.optimizers, theory.motion.optimizers),
    ),
}
for name in theory.rates.experiments:
    ITEMS[f"figure_rates_{name}"] = about_theory(
        "rates",
        [f"results/theory/rates/{name}.parquet"],
        figure_and_table(f"rates_{name}"),
        [name],
        methods=labels(settings.methods, theory.rates.methods),
    )
ITEMS["table_jumps"] = about_runs(
    "jumps",
    {"table": "tables/jumps"},
    EVERY,
    **at_first_rate,
    jumps=theory_tables("jumps"),
)
ITEMS["table_jumps"].results = ITEMS["table_jumps"].results + theory_tables("jumps")
for name in EVERY:
    taken = name.startswith(("learning_rates", "rates_")) or name.endswith("_test")
    if taken or f"figure_{name}" in ITEMS:
        sys.exit(f"config: experiments.{name}: a figure has this name already; choose another")
    ITEMS[f"figure_{name}"] = about_runs(
        "loss_curves",
        {"figure": f"figures/{name}", "test_figure": f"figures/{name}_test"},
        [name],
        **at_first_rate,
    )
    ITEMS[f"figure_learning_rates_{name}"] = about_runs(
        "learning_rates",
        {"figure": f"figures/learning_rates_{name}"},
        [name],
        **at_the_end,
    )

OF_THE_THEORY = [
    *("figure_eigenvalues", "figure_spectra", "figure_conditioning", "figure_width_limit"),
    *("figure_sample_number", "figure_motion", "table_jumps"),
    *(f"figure_rates_{name}" for name in theory.rates.experiments),
]
OF_THE_PAPER = ["activations", "eigenvalues", "width", *PAPER]


def add_items(items):
    """More items, unless one would write the figure of an experiment."""
    theirs = {file: name for name in EVERY for file in ITEMS[f"figure_{name}"].files}
    for file in [file for item in items.values() for file in item.files]:
        if file in theirs:
            sys.exit(
                f"config: experiments.{theirs[file]}: a figure has this name already; choose another"
            )
    ITEMS.update(items)
