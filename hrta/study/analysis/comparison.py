"""How methods compare with a baseline, paired by seed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from hrta.study.analysis.intervals import median_interval
from hrta.study.analysis.schema import CELL, MEDIAN, RATIO


class PairedRatio(NamedTuple):
    """A ratio to the baseline, its interval, and the p-value of the hypothesis of a ratio of 1."""

    ratio: float
    low: float
    high: float
    p: float


def sign_test(log_ratios: np.ndarray) -> float:
    """The two-sided p-value of the sign test that the median log ratio is 0, without ties.

    p = min(1, 2 P[X <= min(k, n - k)]), X ~ Binomial(n, 1/2), k of n ratios being below 1.
    The test is exact, assumes no symmetry, and counts infinite ratios, of diverged runs.

    Source: Conover (1999), Practical Nonparametric Statistics, section 3.4; scipy.stats.binomtest.
    """
    from scipy.stats import binomtest

    below, above = int((log_ratios < 0).sum()), int((log_ratios > 0).sum())
    return float(binomtest(below, below + above).pvalue) if below + above else 1.0


def paired_ratio(log_ratios: np.ndarray) -> PairedRatio:
    """The median ratio over seeds with its interval, and the p-value of the `sign_test`.

    Args:
        log_ratios: log10 of the ratios, [pairs] without NaN.
    """
    ratio, low, high = np.power(10.0, median_interval(log_ratios))
    return PairedRatio(ratio, low, high, sign_test(log_ratios))


def paired(rows: pd.DataFrame, baseline: pd.DataFrame, on: Sequence[str]) -> pd.DataFrame:
    """Each row with the row of the baseline that has the same values in the columns `on`.

    Returns:
        The rows with the baseline's other columns, with the suffix _baseline if both have them, and
        the column unpaired: whether the baseline has no such row.
    """
    suffixes = ("", "_baseline")
    pairs = rows.merge(baseline, "left", on=list(on), suffixes=suffixes, indicator="unpaired")
    return pairs.assign(unpaired=pairs["unpaired"] == "left_only")


def log_difference(log: pd.Series, log_baseline: pd.Series) -> pd.Series:
    """The difference of two logarithms; 0 if they are equal, also if both are infinite."""
    return (log - log_baseline).mask(log == log_baseline, 0.0)


def log_ratio(values: pd.Series, baseline: pd.Series) -> pd.Series:
    """log10(value / baseline); 0 if both are infinite or 0, missing if one is negative."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return log_difference(np.log10(values), np.log10(baseline))


def compare(
    final: pd.DataFrame,
    baseline: str,
    measure: str = "loss",
    cell: Sequence[str] = tuple(CELL),
    by: str = "method",
) -> pd.DataFrame:
    """The median of each cell, and its `paired_ratio` to the baseline, paired by seed.

    Args:
        final: one row for each run, with the columns `cell`, seed and the measure.
        baseline: value of the column `by` to compare with.
        measure: column to compare.
        cell: columns; rows with the same values in them differ only in their seed.
        by: column of the cell that has the name of the baseline.

    Returns:
        One row for each cell, sorted by `cell`: seeds, diverged (number of runs), median, low,
        high, ratio, ratio_low, ratio_high and, if `final` has it, best_learning_rate.

    Raises:
        ValueError: a run without a run of the baseline with the same seed.
    """
    cell = list(cell)
    on = [*(name for name in cell if name != by), "seed"]
    pairs = paired(final, final.loc[final[by] == baseline, [*on, measure]], on)
    partner = pairs[f"{measure}_baseline"]
    if len(pairs) == 0 or partner.isna().any():
        raise ValueError(f"compare: a run has no partner of the baseline {baseline!r}")
    # A pair with a missing ratio counts as a tie.
    pairs = pairs.assign(log_ratio=log_ratio(pairs[measure], partner).fillna(0))
    rows = []
    for names, runs in pairs.groupby(cell, observed=True, dropna=False):
        ratio = paired_ratio(runs["log_ratio"].to_numpy())
        rows.append(
            dict(zip(cell, names, strict=True))
            | {"seeds": len(runs), "diverged": int(np.isinf(runs[measure]).sum())}
            | dict(zip(MEDIAN, median_interval(runs[measure].to_numpy()), strict=True))
            | dict(zip(RATIO, ratio[:3], strict=True))
            | {name: runs[name].iloc[0] for name in runs if name == "best_learning_rate"}
        )
    return pd.DataFrame(rows).astype({name: final[name].dtype for name in cell})
