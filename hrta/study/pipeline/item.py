"""The items of the replication, figures and tables: notebook, inputs, outputs, labels."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrta.study.config.mistakes import ConfigError
from hrta.study.config.replication import Replication
from hrta.study.pipeline.sources import notebook_title

SUFFIXES = {"figures": ("pdf", "png"), "tables": ("md", "csv")}
SECTIONS = PAPER, THEORY, COMPETITORS, EXTENSIONS = (
    "The paper",
    "The tangent kernel",
    "Competing methods",
    "Extensions",
)


@dataclass(frozen=True)
class Shown:
    """A figure or a table of the report.

    Attributes:
        stem: path of its files without suffix.
        caption: file of its caption, in workflow/report/captions.
        of: label among several of the same item; empty if there is only one.
    """

    stem: str
    caption: str
    of: str = ""

    @property
    def files(self) -> list[str]:
        """The files of the figure or table."""
        return [f"{self.stem}.{suffix}" for suffix in SUFFIXES[Path(self.stem).parts[0]]]


@dataclass(frozen=True, kw_only=True)
class Item:
    """The output of one execution of a notebook: figures, tables, the executed notebook.

    Attributes:
        section: section of the report.
        name: name of the item, and target of the workflow.
        notebook: name in notebooks/, without suffix.
        reads: result files by the notebook's parameter that takes them.
        writes: stems of the output files by the notebook's parameter that takes them.
        parameters: all other parameters of the notebook.
        of: label among the items of the same notebook; empty if there is only one.
        targets: targets of the workflow, other than `all`, that include the item.
        parts: labels by suffix, if the notebook writes several files for each stem.
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
        """The result files that the item is made from."""
        return [file for files in self.reads.values() for file in files]

    @property
    def title(self) -> str:
        """The heading in the report: the title of the notebook, and the label."""
        return ": ".join(filter(None, [notebook_title(self.notebook), self.of]))

    @property
    def shown(self) -> list[Shown]:
        """The figures and tables of the item."""
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
        """The executed notebook, and its HTML page."""
        return [f"notebooks/executed/{self.name}.{suffix}" for suffix in ("ipynb", "html")]


def labels(models: Mapping[str, Any], names: Iterable[str] | None = None) -> dict[str, str]:
    """The labels of these models, by default of all, by name."""
    return {name: models[name].label for name in (models if names is None else names)}


def experiment_labels(settings: Replication, experiments: list[str]) -> dict[str, dict[str, str]]:
    """The labels of these experiments, and of their methods and optimizers."""
    chosen = [settings.experiments[name] for name in experiments]
    return {
        "experiments": labels(settings.experiments, experiments),
        "methods": labels(settings.methods, [m for each in chosen for m in each.methods]),
        "optimizers": labels(settings.optimizers, [o for each in chosen for o in each.optimizers]),
    }


def first_rates(settings: Replication) -> dict[str, object]:
    """The notebooks' parameter of the first learning rate of each optimizer."""
    rates = {name: each.learning_rates.value[0] for name, each in settings.optimizers.items()}
    return {"learning_rates": rates}


def final_fraction(settings: Replication) -> dict[str, float]:
    """The notebooks' parameter of the final fraction of a run's steps."""
    return {"fraction": settings.training.final_fraction.value}


def figure_and_table(name: str) -> dict[str, str]:
    """The stems of a notebook's figure and table."""
    return {"figure": f"figures/{name}", "table": f"tables/{name}"}


def by_name(items: Collection[Item], experiments: Iterable[str]) -> dict[str, Item]:
    """The items by name.

    Args:
        items: all items.
        experiments: names of the experiments; each has a figure of the same name.

    Raises:
        ConfigError: two figures or tables have the same name.
    """
    own = {f"figure_{name}": name for name in experiments}
    files = set()
    # Figures of experiments come last, so that their names are refused.
    for item in sorted(items, key=lambda item: item.name in own):
        if not files.isdisjoint(written := [*item.files, *item.executed]):
            name = f"experiments.{own[item.name]}" if item.name in own else item.name
            raise ConfigError(f"config: {name}: a figure has this name already; choose another")
        files.update(written)
    return {item.name: item for item in items}
