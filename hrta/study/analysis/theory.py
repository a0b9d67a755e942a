"""Exponents, gains and crossings of the bound, from tables of the tangent-kernel theory."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hrta.study.analysis.intervals import CONFIDENCE
from hrta.study.analysis.schema import MOTION, RATES


def power_law(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """The exponent p of y = c x^p and its 95 % interval, by least squares on the logarithms.

    Rows whose y is not positive are left out.

    Raises:
        ValueError: fewer than three rows, or a single x, are left.
    """
    from scipy import stats

    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    positive = y > 0
    x, y = x[positive], y[positive]
    if len(x) < 3 or len(np.unique(x)) < 2:
        raise ValueError("power_law: needs three positive values at two or more x")
    fit = stats.linregress(np.log(x), np.log(y))
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(x) - 2) * fit.stderr
    return float(fit.slope), float(fit.slope - half), float(fit.slope + half)


def exponents(table: pd.DataFrame, x: str, ys: Sequence[str], by: Sequence[str]) -> pd.DataFrame:
    """The exponent of each y in x with its interval, for each cell of the columns `by`.

    Returns:
        Table of the columns `by`, quantity, exponent, low, high, and used, the number of rows in
        the fit; the exponent is missing if too few rows are positive.
    """
    rows = []
    for key, cell in table.groupby(list(by), observed=True, sort=False):
        for y in ys:
            try:
                fit = power_law(cell[x], cell[y])
            except ValueError:
                fit = (np.nan, np.nan, np.nan)
            rows.append((*key, y, *fit, int((cell[y] > 0).sum())))
    return pd.DataFrame(rows, columns=[*by, "quantity", "exponent", "low", "high", "used"])


def conditioning(spectra: pd.DataFrame) -> pd.DataFrame:
    """The extremal eigenvalues at infinite width, and the speed of training that they imply.

    The slowest mode of gradient descent decays at the rate eta lambda_min / n. At the same learning
    rate the gain of s is lambda_min(s) / lambda_min(1); with the learning rate of each s at its
    stability limit, 2n / lambda_max, the honest gain is this over lambda_max(s) / lambda_max(1).

    Args:
        spectra: rows of `SPECTRA`.

    Returns:
        Table of experiment, s, smallest, largest, condition, digits (to which lambda_min(s) agrees
        with s^2 lambda_min(1)), gain, honest_gain; the last three are missing if the spectra do not
        have s = 1.
    """
    infinite = spectra[spectra["kernel"] == "infinite"]
    runs = infinite.groupby(["experiment", "s"], observed=True, sort=False)["eigenvalue"]
    table = runs.agg(smallest="min", largest="max").reset_index()
    table["condition"] = (table["largest"] / table["smallest"]).where(table["smallest"] > 0)
    relu = table[np.isclose(table["s"], 1)].set_index("experiment")
    smallest, largest = (
        table["experiment"].map(relu[name]).astype(float) for name in ("smallest", "largest")
    )
    table["gain"] = table["smallest"] / smallest
    table["honest_gain"] = table["gain"] / (table["largest"] / largest)
    deviation = (table["gain"] / table["s"].where(table["s"] > 0) ** 2 - 1).abs()
    table["digits"] = -np.log10(deviation.where(deviation > 0))
    return table


def rates_by_stage(rates: pd.DataFrame) -> pd.DataFrame:
    """Each run at the end of each stage, with its largest deviations from bound and prediction.

    Args:
        rates: rows of `RATES`.

    Returns:
        One row for each run and stage: their columns, those measured (of the stage's last row),
        first_loss and first_bound (of its first row), excess (the largest ratio of loss to bound)
        and deviation (the largest |log10(loss / predicted)|).
    """
    with np.errstate(divide="ignore"):
        deviation = np.log10(rates["loss"] / rates["predicted"]).abs()
    rates = rates.assign(excess=rates["loss"] / rates["bound"], deviation=deviation)
    by = [*RATES.run, "stage"]
    stages = rates.sort_values("step", kind="stable").groupby(by, observed=True, dropna=False)
    first = stages[["loss", "bound"]].first().add_prefix("first_")
    most = stages[["excess", "deviation"]].max()
    return stages[[*RATES.measured]].last().join(first).join(most).reset_index()


def crossings_of_bound(rates: pd.DataFrame) -> pd.DataFrame:
    """Crossings of the bound, and deviations from the linearised prediction.

    Args:
        rates: rows of `RATES`.

    Returns:
        Table of experiment, method, width, stage, runs, crossing (number of runs with a loss above
        the bound at any step), excess (the largest of any run), and medians over runs: decay (of
        the loss over the stage, in decades), bound_decay (of the bound), deviation, and smallest
        (lambda_min at the end of the stage over that of infinite width).
    """
    runs = rates_by_stage(rates[rates["width"].notna()])
    runs = runs.assign(
        # The first row of a stage is on the bound by construction.
        crossing=runs["excess"] > 1 + 1e-9,
        decay=np.log10(runs["first_loss"] / runs["loss"]),
        bound_decay=np.log10(runs["first_bound"] / runs["bound"]),
        smallest=runs["smallest_end"] / runs["smallest_limit"],
    )
    cells = runs.groupby(["experiment", "method", "width", "stage"], observed=True)
    table = cells.agg(runs=("seed", "size"), crossing=("crossing", "sum"), excess=("excess", "max"))
    medians = cells[["decay", "bound_decay", "deviation", "smallest"]].median()
    return table.join(medians).reset_index()


def losses_at_infinite_width(rates: pd.DataFrame) -> pd.DataFrame:
    """The predicted final loss at infinite width, median over seeds."""
    end = rates[rates["width"].isna() & (rates["step"] == rates["step"].max())]
    return end.groupby(["experiment", "method"], observed=True)["predicted"].median().reset_index()


def motion_exponents(motion: pd.DataFrame) -> pd.DataFrame:
    """The `exponents` in the width of `MOTION` at the end of each stage."""
    stage = ["method", "optimizer", "stage"]
    ends = motion[motion["step"] == motion.groupby(stage, observed=True)["step"].transform("max")]
    return exponents(ends, "width", MOTION.measured, stage)


def jumps_at_switches(results: pd.DataFrame, jumps: pd.DataFrame) -> pd.DataFrame:
    """Median losses just before and just after each switch of s, and the expected loss.

    Args:
        results: rows of `TRAINING`, of two stages.
        jumps: rows of `JUMPS`.

    Returns:
        Table of experiment, optimizer, method, width, loss_before, loss_after, expected_loss (at
        infinite width, if the first stage had converged), for the methods whose s changes.
    """
    cell = ["experiment", "optimizer", "method", "width"]
    by_stage = results.sort_values("step").groupby([*cell, "seed", "stage"], observed=True)["loss"]
    edges = by_stage.agg(["first", "last"]).unstack("stage")
    sides = pd.DataFrame({"loss_before": edges["last", 1], "loss_after": edges["first", 2]})
    medians = sides.groupby(cell, observed=True).median().reset_index()
    moved = jumps.loc[jumps["before"] != jumps["after"], ["experiment", "method", "expected_loss"]]
    words = {"experiment": str, "method": str}
    return medians.astype(words).merge(moved.astype(words), on=["experiment", "method"])
