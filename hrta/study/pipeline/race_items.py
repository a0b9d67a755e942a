"""The items of the races."""

from collections.abc import Iterator

from hrta.study.config.extensions import Networks
from hrta.study.config.replication import Replication
from hrta.study.pipeline.item import (
    COMPETITORS,
    EXTENSIONS,
    Item,
    figure_and_table,
    final_fraction,
    labels,
)
from hrta.study.pipeline.plan import Plan


def race_items(settings: Replication, plan: Plan) -> Iterator[Item]:
    """The items of all races."""
    extensions = settings.extensions
    yield from _of_all_methods(settings, plan)
    yield _of_schedules(settings, plan)
    for name, study, stem, of in (
        ("activations", extensions.activations, "other_activations", "one hidden layer"),
        ("depth", extensions.depth, "deep_networks", "several layers"),
    ):
        yield _of_networks(settings, plan, name, study, stem, of)


def _shown(settings: Replication, name: str) -> dict[str, object]:
    """The labels of a race's methods and problems, and the baseline of each method."""
    race = settings.races[name]
    return {
        "methods": labels(race.methods),
        "problems": labels(race.problems),
        "baselines": {name: each.baseline for name, each in race.methods.items() if each.baseline},
    }


def _of_all_methods(settings: Replication, plan: Plan) -> Iterator[Item]:
    """The race of all methods, and the experiment on exact alternating minimisation."""
    race, alternation = settings.competitors.race, settings.competitors.alternation
    shown, at_end, targets = _shown(settings, "race"), final_fraction(settings), ("siblings",)
    runs, tuning = {"runs": plan.tables("race")}, {"tuning": plan.second_tables("race")}
    yield Item(
        section=COMPETITORS,
        name="figure_anmin",
        notebook="anmin",
        reads={
            "results_files": plan.tables("anmin"),
            "runs": plan.raced("race", alternation.against),
        },
        writes=figure_and_table("anmin"),
        parameters=at_end
        | {
            "problems": labels(race.problems, alternation.problems),
            "methods": labels(race.methods, alternation.against),
            "width": alternation.width.value,
        },
        targets=targets,
    )
    tables = {"table": "leaderboard", "gains_table": "gains", "tuned_table": "tuned"}
    yield Item(
        section=COMPETITORS,
        name="figure_race",
        notebook="race",
        reads=runs | tuning,
        writes={"figure": "figures/race"} | {key: f"tables/{stem}" for key, stem in tables.items()},
        parameters=shown | at_end | {"targets": race.targets.value},
        targets=targets,
    )
    yield Item(
        section=COMPETITORS,
        name="figure_sensitivity",
        notebook="sensitivity",
        reads=tuning,
        writes={"figure": "figures/sensitivity"},
        parameters=shown,
        targets=targets,
    )
    yield Item(
        section=COMPETITORS,
        name="figure_race_curves",
        notebook="race_curves",
        reads=runs,
        writes=figure_and_table("race"),
        parameters=shown | at_end,
        targets=targets,
        parts={f"_{name}": each.label for name, each in race.problems.items()},
    )


def _of_schedules(settings: Replication, plan: Plan) -> Item:
    """The race of paths through the stages under each optimizer."""
    schedules = settings.extensions.schedules
    widths = [width for each in schedules.problems.values() for width in each.widths.value]
    return Item(
        section=EXTENSIONS,
        name="figure_schedules",
        notebook="schedules",
        reads={"runs": plan.tables("schedules"), "tuning": plan.second_tables("schedules")},
        writes=figure_and_table("schedules")
        | {
            "curves_figure": "figures/schedules_curves",
            "counts_table": "tables/schedules_counts",
            "ranks_table": "tables/schedules_ranks",
            "tuned_table": "tables/schedules_tuned",
        },
        parameters=_shown(settings, "schedules")
        | final_fraction(settings)
        | {
            "parts": {
                f"{name}_{optimizer}": {"path": variant.label, "optimizer": chosen.label}
                for optimizer, chosen in schedules.optimizers.items()
                for name, variant in schedules.variants.items()
            },
            "shown": [schedules.variants[name].label for name in schedules.curves],
            "width": max(widths),
            "targets": schedules.targets.value,
        },
        targets=("beyond",),
    )


def _of_networks(
    settings: Replication, plan: Plan, name: str, study: Networks, stem: str, of: str
) -> Item:
    """The race of networks of other activations or depths."""
    deep = len(study.hidden.value) > 1
    parts = {
        f"{base}_{layers}_{path}": {
            "network": f"{study.bases[base]}, {layers}" if deep else study.bases[base],
            "path": each.label,
        }
        for base, layers in study.networks
        for path, each in study.paths.items()
    }
    tables = {"counts_table": "counts", "finals_table": "losses", "tuned_table": "tuned"}
    return Item(
        section=EXTENSIONS,
        name=f"figure_{stem}",
        notebook="networks",
        reads={"runs": plan.tables(name), "tuning": plan.second_tables(name)},
        writes=figure_and_table(stem)
        | {key: f"tables/{stem}_{end}" for key, end in tables.items()},
        parameters=_shown(settings, name) | final_fraction(settings) | {"parts": parts},
        of=of,
        targets=("beyond",),
    )
