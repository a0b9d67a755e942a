"""Heavy ball and Nesterov: decay exponents, steps to a loss, travel of the weights."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hrta.study.analysis.comparison import paired
from hrta.study.analysis.intervals import median_interval
from hrta.study.analysis.theory import exponents

# The exponent gamma in the bound exp(-gamma q t) of heavy ball; that of Nesterov is larger.
CLAIMED = 2 - 2**0.5
CELL = ["experiment", "optimizer", "width"]


def decay_exponents(
    table: pd.DataFrame, levels: tuple[float, float] = (1e-1, 1e-10)
) -> pd.DataFrame:
    """The decay exponent gamma = -(d ln R / dt) / q, q = sqrt(lambda eta), between two losses.

    Least squares fit of a straight line to ln R, from the first row at or below levels[0] R(0) to
    the first at or below levels[1] R(0), or to the last row. Higher losses are dominated by the
    large modes, lower ones by rounding errors.

    Args:
        table: rows of `ACCELERATION`.
        levels: first and last loss of the fit, relative to R(0).

    Returns:
        One row for each experiment, optimizer and width (missing at infinite width): seeds,
        exponent with low and high (median over seeds and its 95 % interval; missing if any run
        diverged or has fewer than three rows to fit), reached (median lowest R / R(0)), predicted
        (median exponent of the predicted curves), in_the_end (the asymptotic exponent of the
        prediction), claimed (for methods with momentum), and smallest (median lambda of the
        networks at initialisation over that of infinite width).
    """
    from hrta.ntk.momentum import linear_exponents

    rows = []
    for cell, runs in table.groupby(CELL, observed=True, dropna=False, sort=False):
        first = runs.iloc[0]
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
            | {
                "reached": np.median(reached),
                "predicted": np.median(predicted),
                "in_the_end": linear_exponents(q)[cell[1]],
                "claimed": np.nan if cell[1] == "gradient_descent" else CLAIMED,
                "smallest": (runs["smallest_start"] / runs["smallest"]).median(),
            }
        )
    return pd.DataFrame(rows).astype({"width": "Int64"})


def _exponent(curve: pd.DataFrame, loss: str, levels: tuple[float, float]) -> float:
    """-d ln R / dt of a run, missing if it diverged or has fewer than three rows to fit."""
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
        table: rows of `ACCELERATION`.
        levels: relative to R(0). Only logged steps count.
        baseline: the optimizer to compare with, paired by seed.

    Returns:
        One row for each experiment, width (missing at infinite width), level and other optimizer:
        steps and baseline_steps (medians, infinite if half of the runs never reach the level),
        ratio with low and high (median over seeds and its 95 % interval), pairs (those in which one
        of the two reaches the level; the ratio is missing if there are none).

    Raises:
        ValueError: a run without a run of the baseline with the same seed.
    """
    runs = _first_steps(table.astype({"experiment": str, "optimizer": str}), levels)
    compared = runs["optimizer"] == baseline
    on = ["experiment", "width", "level", "seed"]
    pairs = paired(runs[~compared], runs.loc[compared, [*on, "steps"]], on)
    if pairs["unpaired"].any():
        raise ValueError(f"steps_to_levels: a run has no partner of the baseline {baseline!r}")
    rows = []
    names = {"experiment": True, "optimizer": True, "width": True, "level": False}
    for cell, each in pairs.groupby([*names], dropna=False):
        some = each[np.isfinite(each[["steps", "steps_baseline"]]).any(axis=1)]
        ratios = (some["steps"] / some["steps_baseline"]).to_numpy()
        interval = median_interval(ratios) if len(ratios) else (np.nan,) * 3
        middle = each[["steps", "steps_baseline"]].median()
        rows.append((*cell, *middle, *interval, len(ratios)))
    measured = ["steps", "baseline_steps", "ratio", "low", "high", "pairs"]
    summary = pd.DataFrame(rows, columns=[*names, *measured]).astype({"width": "Int64"})
    summary = summary.sort_values([*names], ascending=[*names.values()], ignore_index=True)
    return summary[["experiment", "width", "level", "optimizer", *measured]]


def _first_steps(table: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """The step of each run's first row at or below each level; infinite without such a row."""
    run = ["experiment", "width", "seed", "optimizer"]
    start = table.groupby(run, dropna=False)["loss"].transform("first")
    tables = []
    for level in levels:
        reached = table.assign(steps=table["step"].where(table["loss"] <= level * start))
        steps = reached.groupby(run, dropna=False)["steps"].min().fillna(np.inf).reset_index()
        tables.append(steps.assign(level=level))
    return pd.concat(tables, ignore_index=True)


def travel_exponents(table: pd.DataFrame) -> pd.DataFrame:
    """The `exponents` of travel in the width after the last step, by experiment and optimizer."""
    last = table.groupby("experiment", observed=True)["step"].transform("max")
    final = table[(table["step"] == last) & table["travel"].notna()]
    return exponents(final, "width", ["travel"], ["experiment", "optimizer"])
