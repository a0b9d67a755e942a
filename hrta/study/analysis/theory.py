"""From the tables of the tangent-kernel theory to exponents, gains and crossings of the bound."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from hrta.study.analysis.intervals import CONFIDENCE
from hrta.study.analysis.schema import MOTION


def power_law(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """The exponent p of y = c x^p and its 95 % interval, by least squares on the logarithms.

    Rows whose y is not positive are left out.

    Raises:
        ValueError: fewer than three rows, or a single x, are left.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    positive = y > 0
    x, y = x[positive], y[positive]
    if len(x) < 3 or len(np.unique(x)) < 2:
        raise ValueError("power_law: it needs three positive values at two or more x")
    fit = stats.linregress(np.log(x), np.log(y))
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(x) - 2) * fit.stderr
    return float(fit.slope), float(fit.slope - half), float(fit.slope + half)


def exponents(table: pd.DataFrame, x: str, ys: Sequence[str], by: Sequence[str]) -> pd.DataFrame:
    """The exponent of each y in x with its interval, for each cell of the columns `by`.

    Returns:
        The columns `by`, quantity, exponent, low, high, and the number of rows in the fit, used;
        the exponent is missing where too few rows are positive.
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

    Gradient descent's slowest mode decays with eta lambda_min / n. At the same learning rate s
    gains lambda_min(s) / lambda_min(1); with each s at its own limit of stability, 2n / lambda_max,
    the honest gain is that ratio over lambda_max(s) / lambda_max(1).

    Args:
        spectra: rows of `hrta.study.analysis.schema.SPECTRA`.

    Returns:
        Table of experiment, s, smallest, largest, condition, digits (of agreement of
        lambda_min(s) with s^2 lambda_min(1)), gain, honest_gain; without the last three where
        s = 1 is not among the spectra.
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


def crossings_of_bound(rates: pd.DataFrame) -> pd.DataFrame:
    """Whether the bound is crossed, and how far the loss is from the linearised prediction.

    Args:
        rates: rows of `hrta.study.analysis.schema.RATES`.

    Returns:
        Table of experiment, method, width, stage, runs, crossing (runs whose loss is above the
        bound at some step), excess (the largest ratio of loss to bound in any run), decay (median
        over runs of the loss's fall over the stage, in decades), bound_decay (the bound's),
        deviation (median over runs of the largest |log10(loss / predicted)|) and smallest (median
        over runs of lambda_min at the end of the stage over that of infinite width).
    """
    measured = rates[rates["width"].notna()].copy()
    measured["excess"] = measured["loss"] / measured["bound"]
    measured["deviation"] = np.log10(measured["loss"] / measured["predicted"]).abs()
    measured["smallest"] = measured["smallest_end"] / measured["smallest_limit"]
    cell = ["experiment", "method", "width", "stage"]
    runs = measured.sort_values("step").groupby([*cell, "seed"], observed=True, sort=False)
    each = runs.agg(
        excess=("excess", "max"),
        deviation=("deviation", "max"),
        first=("loss", "first"),
        last=("loss", "last"),
        bound_first=("bound", "first"),
        bound_last=("bound", "last"),
        smallest=("smallest", "last"),
    ).reset_index()
    # The first row of a stage touches the bound by construction.
    each["crossing"] = each["excess"] > 1 + 1e-9
    each["decay"] = np.log10(each["first"] / each["last"])
    each["bound_decay"] = np.log10(each["bound_first"] / each["bound_last"])
    return (
        each.groupby(cell, observed=True, sort=False)
        .agg(
            runs=("seed", "size"),
            crossing=("crossing", "sum"),
            excess=("excess", "max"),
            decay=("decay", "median"),
            bound_decay=("bound_decay", "median"),
            deviation=("deviation", "median"),
            smallest=("smallest", "median"),
        )
        .reset_index()
        .sort_values(cell, ignore_index=True)
    )


def losses_at_infinite_width(rates: pd.DataFrame) -> pd.DataFrame:
    """The predicted loss when training ends at infinite width: median over draws, for each method.

    Args:
        rates: rows of `hrta.study.analysis.schema.RATES`.
    """
    end = rates[rates["width"].isna() & (rates["step"] == rates["step"].max())]
    return end.groupby(["experiment", "method"], observed=True)["predicted"].median().reset_index()


def motion_exponents(motion: pd.DataFrame) -> pd.DataFrame:
    """Exponents in the width of the motion of kernel and weights by the end of each stage.

    Args:
        motion: rows of `hrta.study.analysis.schema.MOTION`.

    Returns:
        As `exponents`, for each method, optimizer and stage.
    """
    stage = ["method", "optimizer", "stage"]
    ends = motion[motion["step"] == motion.groupby(stage, observed=True)["step"].transform("max")]
    return exponents(ends, "width", MOTION.measured, stage)


def jumps_at_switches(results: pd.DataFrame, jumps: pd.DataFrame) -> pd.DataFrame:
    """Median losses just before and just after each switch of s, beside the expected one.

    Args:
        results: rows of `hrta.study.analysis.schema.TRAINING`, of two stages.
        jumps: rows of `hrta.study.analysis.schema.JUMPS`.

    Returns:
        Table of experiment, optimizer, method, width, loss_before, loss_after, expected_loss (at
        infinite width, if the first stage had been trained to its end), for the methods whose s
        changes.
    """
    cell = ["experiment", "optimizer", "method", "width"]
    by_stage = results.sort_values("step").groupby([*cell, "seed", "stage"], observed=True)["loss"]
    edges = by_stage.agg(["first", "last"]).unstack("stage")
    sides = pd.DataFrame({"loss_before": edges["last", 1], "loss_after": edges["first", 2]})
    medians = sides.groupby(cell, observed=True).median().reset_index()
    moved = jumps.loc[jumps["before"] != jumps["after"], ["experiment", "method", "expected_loss"]]
    words = {"experiment": str, "method": str}
    return medians.astype(words).merge(moved.astype(words), on=["experiment", "method"])
