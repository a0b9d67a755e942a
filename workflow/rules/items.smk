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


def figure_and_table(name):
    return {"figure": f"figures/{name}", "table": f"tables/{name}"}


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
