import json
from dataclasses import dataclass

EVERY = list(settings.experiments)
PAPER = [name for name in EVERY if settings.experiments[name].paper] or EVERY


@dataclass
class Item:
    """A figure or table: its notebook, and what that is run with."""

    notebook: str
    stem: str  # of the files that it writes
    results: list
    parameters: dict

    @property
    def kind(self):
        return "figure" if self.stem.startswith("figures/") else "table"

    @property
    def files(self):
        suffixes = {"figure": ("pdf", "png"), "table": ("csv", "md")}[self.kind]
        return [f"{self.stem}.{suffix}" for suffix in suffixes]


def labels(models, names):
    return {name: models[name].label for name in dict.fromkeys(names)}


def about_runs(notebook, stem, experiments, **parameters):
    """An item made from the training results of these experiments."""
    chosen = [settings.experiments[name] for name in experiments]
    runs = runs_of(experiments)
    parameters |= {
        "runs": runs,
        "experiments": labels(settings.experiments, experiments),
        "methods": labels(settings.methods, [m for each in chosen for m in each.methods]),
        "optimizers": labels(settings.optimizers, [o for each in chosen for o in each.optimizers]),
    }
    return Item(notebook, stem, runs, parameters)


def about_spectra(notebook, stem):
    """An item made from the spectra of all experiments."""
    spectra = [f"results/spectra/{name}.parquet" for name in EVERY]
    experiments = labels(settings.experiments, EVERY)
    return Item(notebook, stem, spectra, {"spectra": spectra, "experiments": experiments})


at_the_end = {"fraction": settings.training.final_fraction.value}
compared = at_the_end | {"baseline": settings.baseline}

# The name to ask for, and what it is; width and table have a twin with all experiments.
ITEMS = {
    "figure_activations": Item("activations", "figures/activations", [], {}),
    "figure_eigenvalues": about_spectra("eigenvalues", "figures/eigenvalues"),
    "figure_spectra": about_spectra("spectra", "figures/spectra"),
}
for suffix, experiments in (("", PAPER), ("_all", EVERY)):
    ITEMS[f"figure_width{suffix}"] = about_runs(
        "width", f"figures/width{suffix}", experiments, **at_the_end
    )
    ITEMS[f"table_final_losses{suffix}"] = about_runs(
        "final_losses", f"tables/final_losses{suffix}", experiments, **compared
    )
for name in EVERY:
    for loss, suffix in (("loss", ""), ("test_loss", "_test")):
        ITEMS[f"figure_{name}{suffix}"] = about_runs(
            "loss_curves", f"figures/{name}{suffix}", [name], loss=loss
        )
OF_THE_PAPER = ["activations", "eigenvalues", "width", *PAPER, *(f"{name}_test" for name in PAPER)]


def execute(target, item):
    """Define the rule that executes a notebook into the files of one item."""

    rule:
        name:
            target
        message:
            f"Executing {item.notebook}.ipynb for {target}."
        input:
            sources("hrta.plots", "hrta.tables", "hrta.activations"),
            item.results,
            script=ROOT / "workflow/scripts/execute_notebook.py",
            notebook=ROOT / f"notebooks/{item.notebook}.ipynb",
        output:
            item.files,
            executed=f"notebooks/executed/{target}.ipynb",
            page=f"notebooks/executed/{target}.html",
        log:
            text=f"logs/notebooks/{target}.log",
            notebook=f"logs/notebooks/{target}.ipynb",
        params:
            parameters=json.dumps(item.parameters | {item.kind: item.stem}),
        threads: 1
        resources:
            mem_mb=1000,
        shell:
            "exec python {input.script} {input.notebook} --parameters {params.parameters:q}"
            " --draft {log.notebook} --executed {output.executed} --page {output.page}"
            " --parent $PPID > {log.text} 2>&1"


for target, item in ITEMS.items():
    execute(target, item)


rule paper:
    input:
        [ITEMS[f"figure_{name}"].files for name in OF_THE_PAPER],
        ITEMS["table_final_losses"].files,

