"""All items of the replication, in the order of the report."""

from collections.abc import Iterator

from hrta.study.config.replication import Replication
from hrta.study.pipeline.item import (
    COMPETITORS,
    EXTENSIONS,
    PAPER,
    SECTIONS,
    THEORY,
    Item,
    by_name,
    figure_and_table,
    final_fraction,
    labels,
)
from hrta.study.pipeline.plan import Plan
from hrta.study.pipeline.race_items import race_items


def make_items(settings: Replication, plan: Plan) -> dict[str, Item]:
    """All items by name, ordered by section.

    Raises:
        ConfigError: an experiment has the name of another figure.
    """
    made = [
        *_of_runs(settings, plan),
        *_of_spectra(settings, plan),
        *_of_theory(settings, plan),
        *_of_poisson(settings, plan),
        *_of_competitors(settings, plan),
        *race_items(settings, plan),
        *_of_sweep(settings, plan),
    ]
    made.sort(key=lambda item: SECTIONS.index(item.section))
    return by_name(made, settings.experiments)


def _labelled(settings: Replication, experiments: list[str]) -> dict[str, dict[str, str]]:
    """The labels of these experiments, and of their methods and optimizers."""
    chosen = [settings.experiments[name] for name in experiments]
    return {
        "experiments": labels(settings.experiments, experiments),
        "methods": labels(settings.methods, [m for each in chosen for m in each.methods]),
        "optimizers": labels(settings.optimizers, [o for each in chosen for o in each.optimizers]),
    }


def _first_rates(settings: Replication) -> dict[str, object]:
    rates = {name: each.learning_rates.value[0] for name, each in settings.optimizers.items()}
    return {"learning_rates": rates}


def _of_runs(settings: Replication, plan: Plan) -> Iterator[Item]:
    """The activations, the loss curves of each experiment, the final losses of all."""
    writes = {"figure": "figures/activations"}
    yield Item(PAPER, "figure_activations", "activations", {}, writes, targets=("paper",))
    every = list(settings.experiments)
    own = [name for name in every if settings.experiments[name].paper] or every
    at_first_rate, at_end = _first_rates(settings), final_fraction(settings)
    for name in every:
        section, targets = (PAPER, ("paper",)) if name in own else (EXTENSIONS, ())
        reads, shown = {"runs": plan.tables(f"runs/{name}")}, _labelled(settings, [name])
        label = settings.experiments[name].label
        yield Item(
            *(section, f"figure_{name}", "loss_curves", reads),
            {"figure": f"figures/{name}", "test_figure": f"figures/{name}_test"},
            shown | at_first_rate,
            of=label,
            targets=targets,
        )
        yield Item(
            *(section, f"figure_learning_rates_{name}", "learning_rates", reads),
            {"figure": f"figures/learning_rates_{name}"},
            shown | at_end,
            of=label,
        )
    for suffix, names, section, of, targets in (
        ("", own, PAPER, "", ("paper",)),
        ("_all", every, EXTENSIONS, "all problems", ()),
    ):
        reads = {"runs": plan.tables(*(f"runs/{name}" for name in names))}
        shown = _labelled(settings, names) | at_end
        yield Item(
            *(section, f"figure_width{suffix}", "width", reads),
            {"figure": f"figures/width{suffix}"},
            shown | at_first_rate,
            of,
            targets,
        )
        yield Item(
            *(section, f"table_final_losses{suffix}", "final_losses", reads),
            {"table": f"tables/final_losses{suffix}", "ratios": f"tables/ratios{suffix}"},
            shown | {"baseline": settings.baseline},
            of,
            targets,
        )


def _of_spectra(settings: Replication, plan: Plan) -> Iterator[Item]:
    reads = {"spectra": plan.tables("spectra")}
    shown = {"experiments": labels(settings.experiments)}
    for section, name, targets in (
        (PAPER, "eigenvalues", ("paper", "theory")),
        (THEORY, "spectra", ("theory",)),
    ):
        writes = {"figure": f"figures/{name}"}
        yield Item(section, f"figure_{name}", name, reads, writes, shown, targets=targets)


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
            *(THEORY, f"figure_{name}", name, {"results_files": plan.tables(folder)}),
            figure_and_table(name) | {key: f"figures/{stem}" for key, stem in writes.items()},
            {"experiments": labels(settings.experiments, experiments)} | shown,
            targets=("theory",),
        )
    yield Item(
        *(THEORY, "table_jumps", "jumps"),
        {"runs": plan.tables("runs"), "jumps": plan.tables("theory/jumps")},
        {"table": "tables/jumps"},
        _labelled(settings, every) | _first_rates(settings),
        targets=("theory",),
    )
    for name in rates.experiments:
        yield Item(
            *(THEORY, f"figure_rates_{name}", "rates"),
            {"results_files": [plan[f"theory/rates/{name}"].table]},
            figure_and_table(f"rates_{name}"),
            {
                "experiments": labels(settings.experiments, [name]),
                "methods": labels(settings.methods, rates.methods),
            },
            of=settings.experiments[name].label,
            targets=("theory",),
        )


def _of_poisson(settings: Replication, plan: Plan) -> Iterator[Item]:
    """A figure for each Poisson problem."""
    poisson = settings.poisson
    for name, problem in poisson.problems.items():
        runs = {f"{name}_{rule}": each.label for rule, each in poisson.quadratures.items()}
        jobs = [plan[f"poisson/{run}"] for run in runs]
        yield Item(
            *(PAPER if problem.paper else EXTENSIONS, f"figure_{name}", "poisson"),
            {
                "results_files": [job.table for job in jobs],
                "solutions_files": [job.second_table for job in jobs],
            },
            figure_and_table(name) | {"curves_figure": f"figures/{name}_curves"},
            {
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
        *(COMPETITORS, "figure_slopes", "slopes"),
        {"errors": plan.tables("slopes"), "solutions": plan.second_tables("slopes")},
        figure_and_table("slopes") | {"curves_figure": "figures/slopes_curves"},
        {
            "experiments": labels(settings.experiments, [slopes.experiment]),
            "variants": labels(slopes.variants),
            "baseline": next(iter(slopes.variants)),
        },
        targets=("siblings",),
    )
    more = {"travel_figure": "figures/acceleration_travel"}
    yield Item(
        *(COMPETITORS, "figure_acceleration", "acceleration"),
        {"results_files": plan.tables("acceleration")},
        figure_and_table("acceleration") | more | {"steps_table": "tables/acceleration_steps"},
        {"experiments": labels(problems)},
        targets=("siblings",),
    )


def _of_sweep(settings: Replication, plan: Plan) -> Iterator[Item]:
    sweep = settings.sweep
    if sweep is not None:
        yield Item(
            *(EXTENSIONS, "figure_sweep", "sweep", {"runs": plan.tables("sweep")}),
            figure_and_table("sweep"),
            {
                "experiments": labels(settings.experiments, sweep.experiments),
                "methods": labels(sweep.methods),
                "optimizers": labels(settings.optimizers, sweep.learning_rates),
            }
            | final_fraction(settings),
            targets=("sweep",),
        )
