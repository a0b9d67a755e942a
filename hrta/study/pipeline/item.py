"""What a figure or table of the replication is: its notebook, what that reads and writes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrta.study.config.mistakes import ConfigError
from hrta.study.config.replication import Replication

SUFFIXES = {"figures": ("pdf", "png"), "tables": ("md", "csv")}
SECTIONS = PAPER, THEORY, SIBLINGS, BEYOND = (
    "The paper",
    "The tangent kernel",
    "Neighbouring methods",
    "Beyond the paper",
)
# The headings of the notebooks.
TITLES = {
    "acceleration": "Heavy ball and Nesterov",
    "activations": "The activation family",
    "anmin": "Exact alternating minimisation",
    "conditioning": "The s² law, and what relaxation gains beyond a larger step",
    "eigenvalues": "Eigenvalues against s",
    "final_losses": "Final losses",
    "jumps": "The jump of the loss at a switch",
    "learning_rates": "Final loss against learning rate",
    "loss_curves": "Loss curves",
    "motion": "How far the kernel moves",
    "networks": "Other activations, deeper networks",
    "poisson": "The Poisson problem by the Deep Ritz method",
    "race": "The race",
    "race_curves": "Loss against cost",
    "rates": "Measured loss, linearised prediction, bound",
    "sample_number": "Eigenvalues against the number of points",
    "schedules": "Paths through the stages",
    "sensitivity": "How much the learning rate matters",
    "slopes": "Adaptive slopes on a function with a jump",
    "spectra": "Whole spectra",
    "sweep": "Which s, at which learning rate, at which width?",
    "width": "Final loss against width",
    "width_limit": "From finite to infinite width",
}


@dataclass(frozen=True)
class Shown:
    """A figure or a table as the report shows it.

    Attributes:
        stem: of its files.
        caption: file of its caption, in workflow/report/captions.
        of: which one of several it is; empty if there is only one.
    """

    stem: str
    caption: str
    of: str = ""

    @property
    def files(self) -> list[str]:
        """Its files."""
        return [f"{self.stem}.{suffix}" for suffix in SUFFIXES[Path(self.stem).parts[0]]]


@dataclass(frozen=True)
class Item:
    """What one execution of a notebook makes: figures, tables, and the executed notebook.

    Attributes:
        section: of the report.
        name: target of the workflow.
        notebook: its name in notebooks/, without suffix.
        reads: parameter of the notebook, and the result files that it reads there.
        writes: parameter of the notebook, and the stem of the files that it writes there.
        parameters: all others.
        of: which of the items of its notebook it is; empty if there is only one.
        targets: targets of the workflow that it belongs to, beside `all`.
        parts: suffix and label of each, where the notebook writes several files to a stem.
    """

    section: str
    name: str
    notebook: str
    reads: Mapping[str, list[str]]
    writes: Mapping[str, str]
    parameters: Mapping[str, object] = field(default_factory=dict)
    of: str = ""
    targets: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=lambda: {"": ""})

    @property
    def results(self) -> list[str]:
        """The result files that it is made from."""
        return [file for files in self.reads.values() for file in files]

    @property
    def title(self) -> str:
        """Its heading in the report."""
        return ": ".join(filter(None, [TITLES[self.notebook], self.of]))

    @property
    def shown(self) -> list[Shown]:
        """Its figures and tables."""
        return [
            Shown(f"{stem}{suffix}", f"{self.notebook}.{parameter}.rst", label)
            for suffix, label in self.parts.items()
            for parameter, stem in self.writes.items()
        ]

    @property
    def files(self) -> list[str]:
        """The files of its figures and tables."""
        return [file for each in self.shown for file in each.files]

    @property
    def executed(self) -> list[str]:
        """The executed notebook, and the same as HTML."""
        return [f"notebooks/executed/{self.name}.{suffix}" for suffix in ("ipynb", "html")]


def labels(models: Mapping[str, Any], names: Iterable[str] | None = None) -> dict[str, str]:
    """The labels of these models, or of all of them, by name."""
    return {name: models[name].label for name in (models if names is None else names)}


def at_the_end(settings: Replication) -> dict[str, float]:
    """The parameter that says which part of a run's steps is its end."""
    return {"fraction": settings.training.final_fraction.value}


def figure_and_table(name: str) -> dict[str, str]:
    """Where a notebook writes its figure and its table."""
    return {"figure": f"figures/{name}", "table": f"tables/{name}"}


def by_name(items: Iterable[Item], experiments: Iterable[str]) -> dict[str, Item]:
    """The items by their names.

    Args:
        items: all of them.
        experiments: names in the configuration, each of which gives its name to a figure.

    Raises:
        ConfigError: two figures or tables have the same name.
    """
    own = {f"figure_{name}": name for name in experiments}
    found, files = {}, set()
    # Those of experiments last, so that they are the ones to be refused.
    for item in sorted(items := list(items), key=lambda item: item.name in own):
        if item.name in found or not files.isdisjoint(item.files):
            name = f"experiments.{own[item.name]}" if item.name in own else item.name
            raise ConfigError(f"config: {name}: a figure has this name already; choose another")
        found[item.name] = item
        files.update(item.files)
    return {item.name: item for item in items}
