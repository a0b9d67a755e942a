"""All items of the replication, in the order of the report."""

from collections.abc import Iterator

from hrta.study.config.replication import Replication
from hrta.study.pipeline.item import (
    COMPETITORS,
    EXTENSIONS,
    PAPER,
    SECTIONS,
    Item,
    by_name,
    experiment_labels,
    figure_and_table,
    final_fraction,
    first_rates,
    labels,
)
from hrta.study.pipeline.plan import Plan
from hrta.study.pipeline.race_items import race_items
from hrta.study.pipeline.theory_items import theory_items


def make_items(settings: Replication, plan: Plan) -> dict[str, Item]:
    """All items by name, ordered by section.

    Raises:
        ConfigError: an experiment has the name of another figure.
    """
    made = [
        *_of_runs(settings, plan),
        *theory_items(settings, plan),
        *_of_poisson(settings, plan),
        *_of_competitors(settings, plan),
        *race_items(settings, plan),
        *_of_sweep(settings, plan),
    ]
    made.sort(key=lambda item: SECTIONS.index(item.section))
    return by_name(made, settings.experiments)


def _of_runs(settings: Replication, plan: Plan) -> Iterator[Item]:
    """The activations, the loss curves of each experiment, the final losses of all."""
    writes = {"figure": "figures/activations"}
    yield Item(
        section=PAPER,
        name="figure_activations",
        notebook="activations",
        reads={},
        writes=writes,
        targets=("paper",),
    )
    every = list(settings.experiments)
    own = [name for name in every if settings.experiments[name].paper] or every
    at_first_rate, at_end = first_rates(settings), final_fraction(settings)
    for name in every:
        section, targets = (PAPER, ("paper",)) if name in own else (EXTENSIONS, ())
        reads, shown = {"runs": plan.tables(f"runs/{name}")}, experiment_labels(settings, [name])
        label = settings.experiments[name].label
        yield Item(
            section=section,
            name=f"figure_{name}",
            notebook="loss_curves",
            reads=reads,
            writes={"figure": f"figures/{name}", "test_figure": f"figures/{name}_test"},
            parameters=shown | at_first_rate,
            of=label,
            targets=targets,
        )
        yield Item(
            section=section,
            name=f"figure_learning_rates_{name}",
            notebook="learning_rates",
            reads=reads,
            writes={"figure": f"figures/learning_rates_{name}"},
            parameters=shown | at_end,
            of=label,
        )
    for suffix, names, section, of, targets in (
        ("", own, PAPER, "", ("paper",)),
        ("_all", every, EXTENSIONS, "all problems", ()),
    ):
        reads = {"runs": plan.tables(*(f"runs/{name}" for name in names))}
        shown = experiment_labels(settings, names) | at_end
        yield Item(
            section=section,
            name=f"figure_width{suffix}",
            notebook="width",
            reads=reads,
            writes={"figure": f"figures/width{suffix}"},
            parameters=shown | at_first_rate,
            of=of,
            targets=targets,
        )
        yield Item(
            section=section,
            name=f"table_final_losses{suffix}",
            notebook="final_losses",
            reads=reads,
            writes={"table": f"tables/final_losses{suffix}", "ratios": f"tables/ratios{suffix}"},
            parameters=shown | {"baseline": settings.baseline},
            of=of,
            targets=targets,
        )


def _of_poisson(settings: Replication, plan: Plan) -> Iterator[Item]:
    """A figure for each Poisson problem."""
    poisson = settings.poisson
    for name, problem in poisson.problems.items():
        runs = {f"{name}_{rule}": each.label for rule, each in poisson.quadratures.items()}
        jobs = [plan[f"poisson/{run}"] for run in runs]
        yield Item(
            section=PAPER if problem.paper else EXTENSIONS,
            name=f"figure_{name}",
            notebook="poisson",
            reads={
                "results_files": [job.table for job in jobs],
                "solutions_files": [job.second_table for job in jobs],
            },
            writes=figure_and_table(name) | {"curves_figure": f"figures/{name}_curves"},
            parameters={
                "experiments": runs,
                "methods": labels(poisson.methods),
                "baseline": next(iter(poisson.methods)),
                "shown": next(iter(runs)),
            }
            | final_fraction(settings),
            of=problem.label,
            targets=("paper",) if problem.paper else (),
        )


def _of_competitors(settings: Replication, plan: Plan) -> Iterator[Item]:
    """The experiments of the competing methods' papers, without the race."""
    competitors = settings.competitors
    slopes, problems = competitors.adaptive_slopes, competitors.acceleration.problems
    yield Item(
        section=COMPETITORS,
        name="figure_slopes",
        notebook="slopes",
        reads={"errors": plan.tables("slopes"), "solutions": plan.second_tables("slopes")},
        writes=figure_and_table("slopes") | {"curves_figure": "figures/slopes_curves"},
        parameters={
            "experiments": labels(settings.experiments, [slopes.experiment]),
            "variants": labels(slopes.variants),
            "baseline": next(iter(slopes.variants)),
        },
        targets=("siblings",),
    )
    more = {"travel_figure": "figures/acceleration_travel"}
    yield Item(
        section=COMPETITORS,
        name="figure_acceleration",
        notebook="acceleration",
        reads={"results_files": plan.tables("acceleration")},
        writes=figure_and_table("acceleration")
        | more
        | {"steps_table": "tables/acceleration_steps"},
        parameters={"experiments": labels(problems)},
        targets=("siblings",),
    )


def _of_sweep(settings: Replication, plan: Plan) -> Iterator[Item]:
    sweep = settings.sweep
    if sweep is not None:
        yield Item(
            section=EXTENSIONS,
            name="figure_sweep",
            notebook="sweep",
            reads={"runs": plan.tables("sweep")},
            writes=figure_and_table("sweep"),
            parameters={
                "experiments": labels(settings.experiments, sweep.experiments),
                "methods": labels(sweep.methods),
                "optimizers": labels(settings.optimizers, sweep.learning_rates),
            }
            | final_fraction(settings),
            targets=("sweep",),
        )
