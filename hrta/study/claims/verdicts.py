"""Verdicts on claims from paired log ratios. A ratio below 1 supports the claim."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from hrta.study.analysis.comparison import PairedRatio, paired_ratio
from hrta.study.analysis.intervals import CONFIDENCE

REPRODUCED, CONTRADICTED, INCONCLUSIVE, MIXED = VERDICTS = (
    "reproduced",
    "contradicted",
    "inconclusive",
    "mixed",
)
LEVEL = 1 - CONFIDENCE
# With fewer pairs the p-value of the sign test is always above the level.
FEWEST_PAIRS = int(np.ceil(np.log2(2 / LEVEL)))


def every(log_ratios: np.ndarray) -> PairedRatio:
    """The median ratio and the extremes, for exact numbers or for all runs; without p-value."""
    extremes = [np.median(log_ratios), log_ratios.min(), log_ratios.max()]
    return PairedRatio(*np.power(10.0, extremes), np.nan)


RULES: dict[str, Callable[[np.ndarray], PairedRatio]] = {"paired": paired_ratio, "every": every}


def judge(cells: pd.DataFrame) -> pd.DataFrame:
    """The verdict on each cell of one claim.

    Holm's correction is over all cells of the claim that have a p-value. A cell is reproduced if
    its whole interval is below 1, and contradicted if it is above 1; a cell with a p-value only if
    the corrected p-value is at most `LEVEL`. Other cells are inconclusive.

    Args:
        cells: table with ratio, low, high and p, which is missing under the rule `every`.

    Returns:
        The cells with the columns p_holm and verdict.

    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65-70; statsmodels' multipletests.
    """
    from statsmodels.stats.multitest import multipletests

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
    """The verdict of all cells if they have the same, else mixed."""
    different = set(verdicts)
    return different.pop() if len(different) == 1 else MIXED


def any_of(verdicts: Iterable[str]) -> str:
    """The verdict on alternatives: reproduced if one of them is, else as `overall`."""
    verdicts = list(verdicts)
    return REPRODUCED if REPRODUCED in verdicts else overall(verdicts)
