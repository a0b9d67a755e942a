"""How methods compare with a baseline, paired by seed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

from hrta.study.analysis.intervals import median_interval
from hrta.study.analysis.schema import CELL, MEDIAN, RATIO


class PairedRatio(NamedTuple):
    """A ratio to the baseline, its interval, and the p-value for a ratio of 1."""

    ratio: float
    low: float
    high: float
    p: float


def sign_test(log_ratios: np.ndarray) -> float:
    """The two-sided p-value of the sign test that the median log ratio is 0; ties are left out.

    p = min(1, 2 P[X <= min(k, n - k)]), X ~ Binomial(n, 1/2), k of n ratios being below 1.
    Exact; it assumes no symmetry, and infinite ratios, of diverged runs, count like others.

    Source: Conover (1999), Practical Nonparametric Statistics, section 3.4; scipy.stats.binomtest.
    """
    below, above = int((log_ratios < 0).sum()), int((log_ratios > 0).sum())
    return float(scipy.stats.binomtest(below, below + above).pvalue) if below + above else 1.0


def paired_ratio(log_ratios: np.ndarray) -> PairedRatio:
    """10 to the median over seeds of the log ratios, with its interval, and p of the `sign_test`.

    Args:
        log_ratios: log10 of the ratios, [pairs] without NaN.
    """
    ratio, low, high = np.power(10.0, median_interval(log_ratios))
    return PairedRatio(ratio, low, high, sign_test(log_ratios))


def paired(rows: pd.DataFrame, baseline: pd.DataFrame, on: Sequence[str]) -> pd.DataFrame:
    """Each row beside the row of the baseline with the same values of the columns `on`.

    Returns:
        The rows with the baseline's other columns, ending in _baseline where both have them, and
        the column alone: whether the baseline has no such row.
    """
    pairs = rows.merge(baseline, "left", on=list(on), suffixes=("", "_baseline"), indicator="alone")
    return pairs.assign(alone=pairs["alone"] == "left_only")


def log_difference(log: pd.Series, log_baseline: pd.Series) -> pd.Series:
    """The difference of two logarithms: 0 where they are equal, both infinite included."""
    return (log - log_baseline).mask(log == log_baseline, 0.0)


def log_ratio(values: pd.Series, baseline: pd.Series) -> pd.Series:
    """log10(value / baseline): 0 where both are infinite or 0, missing where one is negative."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return log_difference(np.log10(values), np.log10(baseline))


def compare(
    final: pd.DataFrame,
    baseline: str,
    measure: str = "loss",
    cell: Sequence[str] = tuple(CELL),
    by: str = "method",
) -> pd.DataFrame:
    """The median of each cell and its ratio to the baseline's, paired by seed, as `paired_ratio`.

    Args:
        final: one row for each run, with the columns `cell`, seed and the measure.
        baseline: value of the column `by` to compare with.
        measure: column to compare.
        cell: columns; rows that are alike in them differ in their seed only.
        by: the one of them that the baseline is named in.

    Returns:
        One row for each cell, sorted by `cell`: seeds, diverged (how many of the runs), median,
        low, high, ratio, ratio_low, ratio_high and, if `final` has it, best_learning_rate.

    Raises:
        ValueError: a run without its partner among the baseline's.
    """
    cell = list(cell)
    on = [*(name for name in cell if name != by), "seed"]
    pairs = paired(final, final.loc[final[by] == baseline, [*on, measure]], on)
    partner = pairs[f"{measure}_baseline"]
    if len(pairs) == 0 or partner.isna().any():
        raise ValueError(f"compare: the baseline {baseline!r} is not there for every run")
    # A pair of which nothing can be said counts as a tie.
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
