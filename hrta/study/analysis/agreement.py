"""Whether two replications agree, up to rounding; `draws` has the rule for results of training.

Both have the same seeds, so that their numbers are pairs of a reference and a fresh value. A rule
has a tolerance for the difference of the two, and measures it in units of this tolerance: above 1
the two disagree. Its methods take

    pairs: table of the columns of a key, reference and fresh.
    level: significance level of each statistical test.
    cell: columns; rows with the same values in them differ only in their seed.

and `deviations` returns the rows of the pairs with the columns check and units.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

SIDES = ["reference", "fresh"]


class Rule:
    """The base class of the rules; without statistical tests."""

    def tests(self, _table: pd.DataFrame, _cell: tuple[str, ...]) -> int:
        """The number of statistical tests for a column of the table."""
        return 0


@dataclass(frozen=True)
class Same(Rule):
    """The two must be equal or both missing."""

    def deviations(
        self, pairs: pd.DataFrame, _level: float, _cell: tuple[str, ...]
    ) -> pd.DataFrame:
        """0 or infinity for each pair."""
        same = equal(pairs[SIDES].to_numpy(dtype=float))
        return pairs.assign(check="value", units=np.where(same, 0.0, np.inf))


@dataclass(frozen=True)
class Close(Rule):
    """The two may differ by rounding: |fresh - reference| <= tolerance x scale.

    Attributes:
        tolerance: relative tolerance.
        group: columns; the scale is the largest absolute reference of the rows with the same values
            in these columns.
        of: column from which the scale is taken, if another; the pairs have it as `size`.
    """

    tolerance: float
    group: tuple[str, ...]
    of: str | None = None

    def deviations(
        self, pairs: pd.DataFrame, _level: float, _cell: tuple[str, ...]
    ) -> pd.DataFrame:
        """The difference over the tolerance; infinite if only one of the two is finite."""
        sizes = pairs["size" if self.of else "reference"].abs()
        sizes = sizes.where(np.isfinite(sizes))
        scale = sizes.groupby([pairs[name] for name in self.group], dropna=False).transform("max")
        with np.errstate(invalid="ignore"):
            difference = (pairs["fresh"] - pairs["reference"]).abs().astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            units = (difference / (self.tolerance * scale)).where(difference > 0, 0.0)
        unequal = _not_finite(pairs["reference"]) != _not_finite(pairs["fresh"])
        return pairs.assign(check="value", units=units.mask(unequal, np.inf))


def equal(values: np.ndarray) -> np.ndarray:
    """Whether the two are equal or both missing."""
    given, fresh = values.T
    return (given == fresh) | (np.isnan(given) & np.isnan(fresh))


def _not_finite(values: pd.Series) -> pd.Series:
    """0 for finite numbers, 1 for missing ones, infinite ones unchanged."""
    values = values.astype(float)
    return values.where(np.isinf(values), 0.0).mask(values.isna(), 1.0)
