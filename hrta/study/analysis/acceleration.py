"""What the curves of heavy ball and Nesterov come to: exponents, steps to a loss, travel."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hrta.ntk.momentum import linear_exponents
from hrta.study.analysis.comparison import median_interval
from hrta.study.analysis.theory import exponents

# Of a loss that falls as exp(-gamma q t): heavy ball's bound has this gamma, Nesterov's a larger.
CLAIMED = 2 - 2**0.5
CELL = ["experiment", "optimizer", "width"]


def decay_exponents(
    table: pd.DataFrame, levels: tuple[float, float] = (1e-1, 1e-10)
) -> pd.DataFrame:
    """gamma = -(d ln R / dt) / q, q = sqrt(lambda eta): how fast the loss falls between two levels.

    A straight line through ln R by least squares, from the first row at or below levels[0] R(0) to
    the first at or below levels[1] R(0), or to the last row if there is none. Above lie the modes
    that any method is rid of at once, below is rounding.

    Args:
        table: rows as `hrta.study.experiments.acceleration.acceleration_table` makes them.
        levels: first and last loss of the fit, relative to R(0).

    Returns:
        One row for each experiment, optimizer and width (missing at infinite width): seeds,
        exponent with low and high (median over seeds and its 95 % interval; missing if any run
        diverged or has fewer than three rows to fit), reached (median lowest R / R(0)), predicted
        (median exponent of the predicted curves), in_the_end (what the prediction tends to),
        claimed (for methods with a momentum), and smallest (median of the networks' own lambda as
        they are initialised over that of infinite width).
    """
    rows = []
    for cell, runs in table.groupby(CELL, observed=True, dropna=False, sort=False):
        first = runs.iloc[0]
        claimed = np.nan if cell[1] == "gradient_descent" else CLAIMED
        q = (first["smallest"] * first["learning_rate"]) ** 0.5
        curves = [curve for _, curve in runs.sort_values("step").groupby("seed")]
        measured, predicted = (
            np.array([_exponent(curve, loss, levels) / q for curve in curves])
            for loss in ("loss", "predicted")
        )
        interval = (np.nan,) * 3 if np.isnan(measured).any() else median_interval(measured)
        reached = [curve["loss"].min() / curve["loss"].iloc[0] for curve in curves]
        rows.append(
            dict(zip(CELL, cell, strict=True))
            | {"seeds": len(curves)}
            | dict(zip(("exponent", "low", "high"), interval, strict=True))
            | {"reached": np.median(reached), "predicted": np.median(predicted)}
            | {"in_the_end": linear_exponents(q)[cell[1]], "claimed": claimed}
            | {"smallest": (runs["smallest_start"] / runs["smallest"]).median()}
        )
    return pd.DataFrame(rows).astype({"width": "Int64"})


def _exponent(curve: pd.DataFrame, loss: str, levels: tuple[float, float]) -> float:
    """-d ln R / dt of one run, missing if it diverged or has fewer than three rows to fit."""
    steps, losses = curve["step"].to_numpy(), curve[loss].to_numpy()
    above = [np.minimum.accumulate(losses) > level * losses[0] for level in levels]
    fit = slice(above[0].sum(), above[1].sum() + 1)
    if not np.isfinite(losses).all() or len(losses[fit]) < 3:
        return np.nan
    return -np.polyfit(steps[fit], np.log(losses[fit]), 1)[0]


def steps_to_levels(
    table: pd.DataFrame,
    levels: Sequence[float] = (1e-2, 1e-4, 1e-6),
    baseline: str = "heavy_ball",
) -> pd.DataFrame:
    """Steps until the loss is first logged at or below level R(0), and their ratio to a baseline's.

    Args:
        table: rows as `hrta.study.experiments.acceleration.acceleration_table` makes them.
        levels: relative to R(0). Steps are as fine as the table's rows.
        baseline: the optimizer to compare with, paired by seed.

    Returns:
        One row for each experiment, width (missing at infinite width), level and other optimizer:
        steps and baseline_steps (medians, infinite where half of the runs never get there), ratio
        with low and high (median over seeds and its 95 % interval), pairs (those in which one of
        the two gets there; without any the ratio is missing).

    Raises:
        ValueError: the baseline is not there for every run.
    """
    table = table.astype({"experiment": str, "optimizer": str})
    run = ["experiment", "width", "seed"]
    start = table.groupby([*run, "optimizer"], dropna=False)["loss"].transform("first")
    firsts = []
    for level in levels:
        there = table.assign(level=level, steps=table["step"].where(table["loss"] <= level * start))
        each = there.groupby(["level", *run, "optimizer"], dropna=False)["steps"].min()
        firsts.append(each.fillna(np.inf))
    wide = pd.concat(firsts).unstack("optimizer")
    if baseline not in wide or wide[baseline].isna().any():
        raise ValueError(f"steps_to_levels: the baseline {baseline!r} is not there for every run")
    others = wide.reset_index().melt([*run, "level", baseline], value_name="steps")
    rows = []
    names = ["experiment", "width", "level", "optimizer"]
    for cell, runs in others.dropna(subset="steps").groupby(names, dropna=False):
        some = runs[np.isfinite(runs[["steps", baseline]]).any(axis=1)]
        ratios = (some["steps"] / some[baseline]).to_numpy()
        interval = median_interval(ratios) if len(ratios) else (np.nan,) * 3
        rows.append(
            dict(zip(names, cell, strict=True))
            | {"steps": runs["steps"].median(), "baseline_steps": runs[baseline].median()}
            | dict(zip(("ratio", "low", "high"), interval, strict=True))
            | {"pairs": len(ratios)}
        )
    summary = pd.DataFrame(rows).astype({"width": "Int64"})
    order = {"experiment": True, "optimizer": True, "width": True, "level": False}
    return summary.sort_values([*order], ascending=[*order.values()], ignore_index=True)


def travel_exponents(table: pd.DataFrame) -> pd.DataFrame:
    """The exponent p of travel = c m^p after the last step, for each experiment and optimizer.

    Args:
        table: rows as `hrta.study.experiments.acceleration.acceleration_table` makes them.

    Returns:
        As `hrta.study.analysis.theory.exponents`.
    """
    last = table.groupby("experiment", observed=True)["step"].transform("max")
    ends = table[(table["step"] == last) & table["travel"].notna()]
    return exponents(ends, "width", ["travel"], ["experiment", "optimizer"])
