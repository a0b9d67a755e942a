"""Verdicts: what paired log ratios say of a claim. A ratio below 1 speaks for it."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from hrta.study.analysis.comparison import CONFIDENCE, median_interval

REPRODUCED, CONTRADICTED, INCONCLUSIVE, MIXED = VERDICTS = (
    "reproduced",
    "contradicted",
    "inconclusive",
    "mixed",
)
LEVEL = 1 - CONFIDENCE
# With fewer pairs the sign test has no p-value at or below the level, whatever the pairs are.
FEWEST_PAIRS = int(np.ceil(np.log2(2 / LEVEL)))


def sign_test(log_ratios: np.ndarray) -> float:
    """The two-sided p-value of the sign test that the median log ratio is 0; ties are left out.

    p = min(1, 2 P[X <= min(k, n - k)]), X ~ Binomial(n, 1/2), k of n ratios being below 1.
    Exact, it assumes no symmetry and knows infinities, which diverged runs leave behind.

    Source: Conover (1999), Practical Nonparametric Statistics, section 3.4; scipy.stats.binomtest.
    """
    below, above = int((log_ratios < 0).sum()), int((log_ratios > 0).sum())
    return float(binomtest(below, below + above).pvalue) if below + above else 1.0


def paired(log_ratios: np.ndarray) -> dict[str, float]:
    """Over seeds: 10 to the median of the log ratios with its bootstrap interval, and p.

    Args:
        log_ratios: log10 of the ratios, [pairs] without NaN.

    Returns:
        ratio, low, high as `hrta.study.analysis.comparison.median_interval` takes them, p of the
        `sign_test`.
    """
    ratio, low, high = np.power(10.0, median_interval(log_ratios))
    return {"ratio": ratio, "low": low, "high": high, "p": sign_test(log_ratios)}


def every(log_ratios: np.ndarray) -> dict[str, float]:
    """Of what is exact, or must hold each time: the median ratio and the extremes; no p-value."""
    middle = np.median(log_ratios)
    ratio, low, high = np.power(10.0, [middle, log_ratios.min(), log_ratios.max()])
    return {"ratio": ratio, "low": low, "high": high, "p": np.nan}


RULES: dict[str, Callable[[np.ndarray], dict[str, float]]] = {"paired": paired, "every": every}


def judge(cells: pd.DataFrame) -> pd.DataFrame:
    """The verdict on each cell of one claim.

    Holm's correction is over all cells of the claim that have a p-value. A cell is reproduced if
    its whole interval is below 1, contradicted if above, and, where it has a p-value, only if the
    corrected one is at most `LEVEL`; else it is inconclusive.

    Args:
        cells: with ratio, low, high, p; those under the rule `every` without p.

    Returns:
        The cells with the columns p_holm and verdict.

    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65-70; statsmodels' multipletests.
    """
    tested = cells["p"].notna()
    corrected = pd.Series(np.nan, cells.index)
    if tested.any():
        corrected[tested] = multipletests(cells.loc[tested, "p"], LEVEL, "holm")[1]
    significant = ~tested | (corrected <= LEVEL)
    verdict = pd.Series(INCONCLUSIVE, cells.index)
    verdict[significant & (cells["high"] < 1)] = REPRODUCED
    verdict[significant & (cells["low"] > 1)] = CONTRADICTED
    return cells.assign(p_holm=corrected, verdict=verdict)


def overall(verdicts: Iterable[str]) -> str:
    """Of many cells: the verdict of all of them if they agree, else mixed."""
    different = set(verdicts)
    return different.pop() if len(different) == 1 else MIXED


def any_of(verdicts: Iterable[str]) -> str:
    """Of alternatives, one of which is enough: reproduced if one is, else as `overall`."""
    verdicts = list(verdicts)
    return REPRODUCED if REPRODUCED in verdicts else overall(verdicts)
