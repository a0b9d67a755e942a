"""The kinds of evidence: one record each, of its results, columns, reduction, rules and claims.

The workflow reads the records when it plans, so that this module and those that it imports import
scipy only inside functions: it takes longer than the rest of the planning.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hrta.study.analysis import schema
from hrta.study.analysis.agreement import Close, Rule, Same
from hrta.study.analysis.draws import Drawn
from hrta.study.claims import ratios, reductions


@dataclass(frozen=True)
class Reading:
    """How claims read a kind of evidence.

    Attributes:
        ratios: one of the functions of `hrta.study.claims.ratios`.
        measures: columns that a claim may name as measures.
        columns: further columns that are read, without those of the key.
        problem: column that has the problems' names in the claims.
    """

    ratios: Callable[[pd.DataFrame, Any, str], pd.DataFrame]
    measures: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    problem: str = "experiment"


@dataclass(frozen=True)
class Kind:
    """A kind of evidence, made from result files.

    Attributes:
        results: folders of the result files, such as theory/width; empty for the problems' points.
        key: columns that identify its rows and by which they are sorted.
        reduce: makes the rows from the table of one file and the final fraction of a run's steps;
            see `hrta.study.claims.reductions`.
        rules: for each other column the rule by which two replications must agree.
        reading: how claims read it; None if no claim is judged on it.
        second: whether it is made from the second tables of the jobs.
        section: part of the configuration that asks for it, by its dotted path, with columns of the
            key in braces and * for any name; empty for the whole.
        seeds: the name in this section of the number of seeds; None if the rows have no seeds.
        folder_column: column to be added with the name of the file's folder, if any.
        file_column: column to be added with the name of the file, if any.
    """

    results: tuple[str, ...]
    key: tuple[str, ...]
    reduce: Callable[[pd.DataFrame, float], pd.DataFrame]
    rules: dict[str, Rule]
    reading: Reading | None = None
    second: bool = False
    section: str = ""
    seeds: str | None = "seeds"
    folder_column: str | None = None
    file_column: str | None = None

    @property
    def cell(self) -> tuple[str, ...]:
        """The columns of the key that runs which differ only in their seed have in common."""
        return tuple(name for name in self.key if name != "seed")


# Sine, logarithm and sums differ by a unit in the last place between processors, and with them
# points and weights. Eigenvalues then differ by some eps lambda_max, 8e-16 as measured.
ULPS = 16 * 2.0**-52
EIGENVALUE = 1e-12
# For values computed from eigenvalues far below lambda_max, or in thousands of float64 steps.
DERIVED = 1e-6
# The cross-entropy of a point is a difference of two numbers of the size of the logits; those of
# the networks here are between 64 and 128, where float32's unit in the last place is 2^-17: up to
# half of it is rounded to 0.
CROSS_ENTROPY = 2.0**-18
# The square of float32's machine epsilon: of that order are rounding errors of outputs near 1.
FLOAT32_FLOOR = 2.0**-46
NEAR_RUN, NEAR_RACE = ("experiment", "optimizer"), ("race", "problem")
RACES = ("race", "schedules", "activations", "depth")

KINDS = {
    "final_losses": Kind(
        results=("runs",),
        key=schema.TRAINING.run,
        reduce=reductions.losses,
        rules=dict.fromkeys(schema.LOSSES, Drawn(near=NEAR_RUN)),
        reading=Reading(ratios.of_runs, measures=schema.LOSSES),
    ),
    "switches": Kind(
        results=("runs",),
        key=(*schema.TRAINING.run, "stage"),
        reduce=reductions.switches,
        rules=dict.fromkeys(("before", "after"), Drawn(near=NEAR_RUN)),
    ),
    "races": Kind(
        results=RACES,
        section="*.{race}",
        key=("race", *schema.RACE.run),
        reduce=reductions.race_results,
        rules={
            "loss": Drawn(near=NEAR_RACE, resolution=CROSS_ENTROPY, floor=FLOAT32_FLOOR),
            "test_loss": Drawn(near=NEAR_RACE),
            "test_error": Drawn("absolute", near=NEAR_RACE),
        },
        reading=Reading(ratios.of_races, measures=schema.RACE.measured, problem="problem"),
        folder_column="race",
    ),
    "tuning": Kind(
        results=RACES,
        second=True,
        section="*.{race}",
        seeds="tuning_seeds",
        key=("race", *schema.TUNING.run),
        reduce=reductions.tuning,
        rules={
            "loss": Drawn(
                pool=("race", *schema.RACE_CELL),
                near=NEAR_RACE,
                resolution=CROSS_ENTROPY,
                floor=FLOAT32_FLOOR,
            )
        }
        | dict.fromkeys(schema.PARAMETERS, Same()),
        folder_column="race",
    ),
    "poisson": Kind(
        results=("poisson",),
        section="poisson.problems.{experiment}",
        key=schema.POISSON.run,
        reduce=reductions.ritz_errors,
        rules=dict.fromkeys(("l2_error", "h1_error"), Drawn(pool=("experiment",)))
        | dict.fromkeys(("gap", "loss_gap"), Drawn("relative", pool=("experiment",))),
        reading=Reading(ratios.of_runs, measures=("l2_error", "h1_error", "gap")),
    ),
    "spectra": Kind(
        results=("spectra",),
        section="spectra",
        key=schema.SPECTRA.key,
        reduce=reductions.extremes,
        rules={"eigenvalue": Close(EIGENVALUE, ("experiment", "kernel", "width", "seed", "s"))},
        reading=Reading(ratios.of_spectra, columns=("eigenvalue",)),
    ),
    # Networks of infinite width are drawn with eigenvectors, whose signs are arbitrary.
    "theory_rates": Kind(
        results=("theory/rates",),
        section="theory.rates",
        key=(*schema.RATES.run, "stage"),
        reduce=reductions.rates,
        rules=dict.fromkeys(
            ("loss", "first_loss", "predicted", "bound", "excess"),
            Drawn(pool=("experiment", "stage")),
        )
        | {
            "deviation": Drawn("absolute", pool=("experiment", "stage")),
            "smallest_limit": Close(DERIVED, (*schema.RATES.run, "stage")),
            "smallest_end": Close(DERIVED, ("experiment", "method", "stage")),
        },
        reading=Reading(ratios.of_bound, columns=("excess", "loss", "bound")),
    ),
    "theory_motion": Kind(
        results=("theory/motion",),
        section="theory.motion",
        key=(*schema.MOTION.run, "step", "stage"),
        reduce=reductions.stage_ends,
        rules=dict.fromkeys(schema.MOTION.measured, Drawn(pool=("optimizer", "stage"))),
    ),
    "theory_width": Kind(
        results=("theory/width",),
        section="theory.width_limit",
        key=schema.WIDTH_LIMIT.key,
        reduce=reductions.whole,
        rules=dict.fromkeys(schema.WIDTH_LIMIT.measured, Close(DERIVED, ("experiment", "s"))),
    ),
    "theory_samples": Kind(
        results=("theory/samples",),
        section="theory.sample_number",
        seeds=None,
        key=schema.SAMPLE_NUMBER.key,
        reduce=reductions.whole,
        rules=dict.fromkeys(
            schema.SAMPLE_NUMBER.measured, Close(EIGENVALUE, schema.SAMPLE_NUMBER.key, of="largest")
        ),
    ),
    "theory_jumps": Kind(
        results=("theory/jumps",),
        section="theory.rates",
        seeds=None,
        key=schema.JUMPS.key,
        reduce=reductions.whole,
        rules=dict.fromkeys(schema.JUMPS.measured, Close(DERIVED, schema.JUMPS.key)),
    ),
    "acceleration": Kind(
        results=("acceleration",),
        section="competitors.acceleration",
        key=schema.ACCELERATION.run,
        reduce=reductions.decay,
        rules=dict.fromkeys(
            ("exponent", "reached", "predicted", "travel"), Drawn(pool=("experiment", "optimizer"))
        )
        | dict.fromkeys(
            ("smallest", "smallest_start"), Close(DERIVED, ("experiment", "optimizer"))
        ),
    ),
    "acceleration_steps": Kind(
        results=("acceleration",),
        section="competitors.acceleration",
        key=("experiment", "optimizer", "width", "level", "seed"),
        reduce=reductions.steps,
        rules=dict.fromkeys(("steps", "ratio"), Drawn(pool=("experiment", "optimizer", "level"))),
    ),
    "slopes": Kind(
        results=("slopes",),
        second=True,
        section="competitors.adaptive_slopes",
        key=("experiment", "variant", "step", "seed"),
        reduce=reductions.solution_errors,
        rules={"error": Drawn(pool=("experiment", "step"))},
    ),
    "slope_ends": Kind(
        results=("slopes",),
        section="competitors.adaptive_slopes",
        key=("experiment", "problem", "variant", "step", "seed"),
        reduce=reductions.last_step,
        rules=dict.fromkeys(schema.SLOPES.measured, Drawn(pool=("experiment", "step"))),
    ),
    "anmin": Kind(
        results=("anmin",),
        section="competitors.alternation",
        key=schema.ANMIN.key,
        reduce=reductions.whole,
        rules=dict.fromkeys(schema.ANMIN.measured, Drawn()),
    ),
    "data": Kind(
        results=(),
        seeds=None,
        key=("file", "problem", "set", "point", "coordinate"),
        reduce=reductions.coordinates,
        rules={"value": Close(ULPS, ("file", "coordinate"))},
        file_column="file",
    ),
}
