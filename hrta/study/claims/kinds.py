"""The kinds of evidence: one record each, of its columns, reduction, verification and claims."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hrta.study.analysis import schema
from hrta.study.analysis.agreement import Close, Drawn, Rule, Same
from hrta.study.claims import ratios, reductions


@dataclass(frozen=True)
class Reading:
    """What claims may read of a kind of evidence.

    Attributes:
        ratios: one of the functions of `hrta.study.claims.ratios`.
        measures: columns that a claim may name as measures.
        columns: other columns, besides the key, that are read.
        problem: column in which claims name problems.
    """

    ratios: Callable[[pd.DataFrame, Any, str], pd.DataFrame]
    measures: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    problem: str = "experiment"


@dataclass(frozen=True)
class Kind:
    """A kind of evidence, made from the files of one kind of results.

    Attributes:
        key: columns that identify its rows, by which they are sorted.
        reduce: makes the rows of one file from its table and the fraction of a run's steps that is
            its end; see `hrta.study.claims.reductions`.
        rules: for each other column, how closely two runs must agree.
        reading: what claims may read; None if no claim is judged on it.
        folder: a column that the table lacks and the name of the file's folder gives, if any.
        file: likewise of the name of the file itself.
    """

    key: tuple[str, ...]
    reduce: Callable[[pd.DataFrame, float], pd.DataFrame]
    rules: dict[str, Rule]
    reading: Reading | None = None
    folder: str | None = None
    file: str | None = None

    @property
    def cell(self) -> tuple[str, ...]:
        """The columns in which the rows of runs that differ in their seed only are alike."""
        return tuple(name for name in self.key if name != "seed")


# Points and weights go through sine and logarithm, which differ by a unit in the last place between
# processors, and so do sums. Eigenvalues are off by some eps lambda_max then, 8e-16 as measured.
ULPS = 16 * 2.0**-52
EIGENVALUE = 1e-12
# Computed from eigenvalues far below lambda_max, or in a few thousand steps in float64.
DERIVED = 1e-6
# Cross-entropies in float32 are multiples of about this, and 0 where they are lower.
ROUNDED = 1e-8
NEAR_RUN, NEAR_RACE = ("experiment", "optimizer"), ("race", "problem")

KINDS = {
    "final_losses": Kind(
        key=schema.TRAINING.run,
        reduce=reductions.losses,
        rules=dict.fromkeys(schema.LOSSES, Drawn(near=NEAR_RUN)),
        reading=Reading(ratios.of_runs, measures=schema.LOSSES),
    ),
    "switches": Kind(
        key=(*schema.TRAINING.run, "stage"),
        reduce=reductions.switches,
        rules=dict.fromkeys(("before", "after"), Drawn(near=NEAR_RUN)),
    ),
    "races": Kind(
        key=("race", *schema.RACE.run),
        reduce=reductions.race_results,
        rules={
            "loss": Drawn(near=NEAR_RACE, step=ROUNDED),
            "test_loss": Drawn(near=NEAR_RACE),
            "test_error": Drawn("absolute", near=NEAR_RACE),
        },
        reading=Reading(ratios.of_races, measures=schema.RACE.measured, problem="problem"),
        folder="race",
    ),
    "tuning": Kind(
        key=("race", *schema.TUNING.run),
        reduce=reductions.tuning,
        rules={"loss": Drawn(pool=("race", *schema.RACE_CELL), step=ROUNDED)}
        | dict.fromkeys(schema.PARAMETERS, Same()),
        folder="race",
    ),
    "poisson": Kind(
        key=schema.POISSON.run,
        reduce=reductions.ritz_errors,
        rules=dict.fromkeys(("l2_error", "h1_error"), Drawn(pool=("experiment",)))
        | dict.fromkeys(("gap", "loss_gap"), Drawn("relative", pool=("experiment",))),
        reading=Reading(ratios.of_runs, measures=("l2_error", "h1_error", "gap")),
    ),
    "spectra": Kind(
        key=schema.SPECTRA.key,
        reduce=reductions.extremes,
        rules={"eigenvalue": Close(EIGENVALUE, ("experiment", "kernel", "width", "seed", "s"))},
        reading=Reading(ratios.of_spectra, columns=("eigenvalue",)),
    ),
    # Networks of infinite width are drawn by way of eigenvectors, whose signs are arbitrary.
    "theory_rates": Kind(
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
        key=(*schema.MOTION.run, "step", "stage"),
        reduce=reductions.stage_ends,
        rules=dict.fromkeys(schema.MOTION.measured, Drawn(pool=("optimizer", "stage"))),
    ),
    "theory_width": Kind(
        key=schema.WIDTH_LIMIT.key,
        reduce=reductions.whole,
        rules=dict.fromkeys(schema.WIDTH_LIMIT.measured, Close(DERIVED, ("experiment", "s"))),
    ),
    "theory_samples": Kind(
        key=schema.SAMPLE_NUMBER.key,
        reduce=reductions.whole,
        rules=dict.fromkeys(
            schema.SAMPLE_NUMBER.measured, Close(EIGENVALUE, schema.SAMPLE_NUMBER.key, of="largest")
        ),
    ),
    "theory_jumps": Kind(
        key=schema.JUMPS.key,
        reduce=reductions.whole,
        rules=dict.fromkeys(schema.JUMPS.measured, Close(DERIVED, schema.JUMPS.key)),
    ),
    "acceleration": Kind(
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
        key=("experiment", "optimizer", "width", "level", "seed"),
        reduce=reductions.steps,
        rules=dict.fromkeys(("steps", "ratio"), Drawn(pool=("experiment", "optimizer", "level"))),
    ),
    "slopes": Kind(
        key=("experiment", "variant", "step", "seed"),
        reduce=reductions.solution_errors,
        rules={"error": Drawn(pool=("experiment", "step"))},
    ),
    "slope_ends": Kind(
        key=("experiment", "problem", "variant", "step", "seed"),
        reduce=reductions.last_step,
        rules=dict.fromkeys(schema.SLOPES.measured, Drawn(pool=("experiment", "step"))),
    ),
    "anmin": Kind(
        key=schema.ANMIN.key,
        reduce=reductions.whole,
        rules=dict.fromkeys(schema.ANMIN.measured, Drawn()),
    ),
    "data": Kind(
        key=("file", "problem", "set", "point", "coordinate"),
        reduce=reductions.coordinates,
        rules={"value": Close(ULPS, ("file", "coordinate"))},
        file="file",
    ),
}
