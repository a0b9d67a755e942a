"""The items on the tangent kernel."""

from collections.abc import Iterator

from hrta.study.config.replication import Replication
from hrta.study.pipeline.item import (
    PAPER,
    THEORY,
    Item,
    experiment_labels,
    figure_and_table,
    first_rates,
    labels,
)
from hrta.study.pipeline.plan import Plan


def theory_items(settings: Replication, plan: Plan) -> Iterator[Item]:
    """The spectra, and the measurements of the theory."""
    yield from _of_spectra(settings, plan)
    yield from _of_theory(settings, plan)


def _of_spectra(settings: Replication, plan: Plan) -> Iterator[Item]:
    reads = {"spectra": plan.tables("spectra")}
    shown = {"experiments": labels(settings.experiments)}
    for section, name, targets in (
        (PAPER, "eigenvalues", ("paper", "theory")),
        (THEORY, "spectra", ("theory",)),
    ):
        writes = {"figure": f"figures/{name}"}
        yield Item(
            section=section,
            name=f"figure_{name}",
            notebook=name,
            reads=reads,
            writes=writes,
            parameters=shown,
            targets=targets,
        )


def _of_theory(settings: Replication, plan: Plan) -> Iterator[Item]:
    """The measurements of the tangent kernel."""
    theory, every = settings.theory, list(settings.experiments)
    motion, rates = theory.motion, theory.rates
    more = {
        "methods": labels(settings.methods, motion.methods),
        "optimizers": labels(settings.optimizers, motion.optimizers),
    }
    for name, folder, experiments, writes, shown in (
        ("conditioning", "spectra", every, {}, {}),
        ("width_limit", "theory/width", theory.width_limit.experiments, {}, {}),
        ("sample_number", "theory/samples", theory.sample_number.experiments, {}, {}),
        ("motion", "theory/motion", [motion.experiment], {"steps_figure": "motion_steps"}, more),
    ):
        yield Item(
            section=THEORY,
            name=f"figure_{name}",
            notebook=name,
            reads={"results_files": plan.tables(folder)},
            writes=figure_and_table(name)
            | {key: f"figures/{stem}" for key, stem in writes.items()},
            parameters={"experiments": labels(settings.experiments, experiments)} | shown,
            targets=("theory",),
        )
    yield Item(
        section=THEORY,
        name="table_jumps",
        notebook="jumps",
        reads={"runs": plan.tables("runs"), "jumps": plan.tables("theory/jumps")},
        writes={"table": "tables/jumps"},
        parameters=experiment_labels(settings, every) | first_rates(settings),
        targets=("theory",),
    )
    for name in rates.experiments:
        yield Item(
            section=THEORY,
            name=f"figure_rates_{name}",
            notebook="rates",
            reads={"results_files": plan.tables(f"theory/rates/{name}")},
            writes=figure_and_table(f"rates_{name}"),
            parameters={
                "experiments": labels(settings.experiments, [name]),
                "methods": labels(settings.methods, rates.methods),
            },
            of=settings.experiments[name].label,
            targets=("theory",),
        )
