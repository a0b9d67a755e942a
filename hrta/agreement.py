"""Whether two runs of the same computation agree: by rounding, or as draws of one distribution.

Both runs start from the same seeds, so their numbers come in pairs, a reference and a fresh one. A
rule says how far the two may be apart, and measures how far they are in units of that: above 1
they disagree.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

# Of a whole verification, where there is nothing but chance between the two runs.
FALSE_ALARM = 0.01
# In decades. What a cell's median and a single run may always be apart: 2.3 % and 12 %.
MEDIAN_FLOOR, RUN_FLOOR = 0.01, 0.05
# The standard error of a median over that of the mean, and a spread over its interdecile range, of
# normal numbers.
MEDIAN_ERROR = np.sqrt(np.pi / 2)
INTERDECILE = 2 * stats.norm.ppf(0.9)


@dataclass(frozen=True)
class Same:
    """The two are equal, or both are missing."""

    def tests(self, _: pd.DataFrame) -> int:
        """How many of a verification's statistical tests these numbers take part in: none."""
        return 0

    def deviations(self, pairs: pd.DataFrame, _: float) -> pd.DataFrame:
        """Infinitely far where they differ; columns as those of `Drawn.deviations`."""
        given, fresh = pairs["reference"], pairs["fresh"]
        same = (given == fresh) | (given.isna() & fresh.isna())
        return pairs.assign(check="value", units=np.where(same, 0.0, np.inf))


@dataclass(frozen=True)
class Close:
    """The two differ by rounding: |fresh - reference| <= tolerance x scale.

    tolerance: relative.
    cell: columns; the scale is the largest reference in size over the rows that are alike there.
    of: another column, whose reference is taken for the scale, as `size` beside the pairs.
    """

    tolerance: float
    cell: tuple[str, ...]
    of: str | None = None

    def tests(self, _: pd.DataFrame) -> int:
        """As `Same.tests`."""
        return 0

    def deviations(self, pairs: pd.DataFrame, _: float) -> pd.DataFrame:
        """The difference over what is allowed; columns as those of `Drawn.deviations`."""
        sizes = pairs["size" if self.of else "reference"].abs()
        sizes = sizes.where(np.isfinite(sizes))
        scale = sizes.groupby([pairs[name] for name in self.cell], dropna=False).transform("max")
        with np.errstate(invalid="ignore"):
            away = (pairs["fresh"] - pairs["reference"]).abs().astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            units = (away / (self.tolerance * scale)).where(away > 0, 0.0)
        odd = _oddness(pairs["reference"]) != _oddness(pairs["fresh"])
        return pairs.assign(check="value", units=units.mask(odd, np.inf))


@dataclass(frozen=True)
class Drawn:
    """The two come from trainings that differ by rounding, which long trainings may amplify.

    At worst both are independent draws of one distribution, so their difference d, paired by seed,
    has median 0. Three things are checked, in decades where the numbers are logarithmic, each at a
    `level` at which all checks of a verification together seldom raise a false alarm:

        median    |median of d over a cell's k seeds| <= MEDIAN_FLOOR + t e sd(d) / sqrt(k), where
                  e = MEDIAN_ERROR, t the quantile of Student's t with k - 1 degrees of freedom
        run       |d| <= RUN_FLOOR + t sqrt(2) spread, for every run; t with one degree of freedom
                  less than the pool has runs, the spread that over the runs of the pool, and the
                  smaller of the reference's and the fresh one, so that none can excuse itself
        diverged  where only one of the two is infinite: some other run of the pool is, too, and the
                  numbers of a cell's seeds that are so in only one of the two pass the sign test

    cell: columns; rows that are alike there differ in their seeds only.
    pool: columns of the cell; runs that are alike there have much the same spread. Where a cell has
        too few seeds to tell it, the pool takes in other cells, whose differences widen it.
    scale: "log" for what is positive, "relative" for what may be negative, in units of the cell's
        median size, or "absolute" for shares.
    """

    cell: tuple[str, ...]
    scale: str = "log"
    pool: tuple[str, ...] | None = None

    def tests(self, table: pd.DataFrame) -> int:
        """How many statistical tests one column of a table needs: one a run, two a cell."""
        return len(table) + 2 * len(table[list(self.cell)].drop_duplicates())

    def deviations(self, pairs: pd.DataFrame, level: float) -> pd.DataFrame:
        """How far runs and cells are apart in units of what is allowed.

        Args:
            pairs: the columns of the key, reference and fresh.
            level: of each statistical test.

        Returns:
            The rows of `pairs` with the columns check and units; for the checks median and diverged
            one row for each cell, without a seed: reference and fresh are medians and shares.
        """
        sides = ["reference", "fresh"]
        values = pairs[sides].to_numpy(dtype=float)
        units, cells = np.zeros(len(pairs)), []
        for rows in _groups(pairs, self.pool or self.cell):
            units[rows] = _apart_in_runs(*self._scaled(*values[rows].T), level)
        for rows in _groups(pairs, self.cell):
            given, fresh = self._scaled(*values[rows].T)
            medians = np.median(values[rows], axis=0)
            diverged = np.mean(~np.isfinite(values[rows]), axis=0)
            cells += [
                (rows[0], *medians, "median", _apart_in_median(given, fresh, level)),
                (rows[0], *diverged, "diverged", _apart_in_divergence(given, fresh, level)),
            ]
        numbers = ["row", *sides, "check", "units"]
        of_cells = pd.DataFrame(cells, columns=numbers).set_index("row")
        names = pairs[list(self.cell)].iloc[of_cells.index].reset_index(drop=True)
        of_cells = names.join(of_cells.reset_index(drop=True))
        return pd.concat([pairs.assign(check="run", units=units), of_cells], ignore_index=True)

    def _scaled(self, given: np.ndarray, fresh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both so that differences are in decades; what is not finite stays so."""
        if self.scale == "log":
            # 0 is as far from everything as infinity, but on the other side.
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.log10(given), np.log10(fresh)
        if self.scale == "relative":
            size = np.median(np.abs(given[np.isfinite(given)])) if np.isfinite(given).any() else 1
            size = (size or 1) * np.log(10)
            return given / size, fresh / size
        return given, fresh


def _groups(table: pd.DataFrame, columns: tuple[str, ...]) -> list[np.ndarray]:
    """The places of the rows that are alike in these columns."""
    return list(table.groupby(list(columns), dropna=False, sort=False).indices.values())


def _apart_in_runs(given: np.ndarray, fresh: np.ndarray, level: float) -> np.ndarray:
    """Each run's difference in units of what is allowed."""
    both = np.isfinite(given) & np.isfinite(fresh)
    units = np.zeros(len(given))
    if both.any():
        finite = (given[both], fresh[both])
        spread = min(np.ptp(np.quantile(part, [0.1, 0.9])) for part in finite)
        t = stats.t.ppf(1 - level / 2, both.sum() - 1) if both.sum() > 1 else 0.0
        allowed = RUN_FLOOR + t * np.sqrt(2) * spread / INTERDECILE
        units[both] = np.abs(np.subtract(*finite)) / allowed
    infinite = np.isinf(given).astype(int) + np.isinf(fresh)
    alone = infinite == infinite.sum()
    units[(infinite == 1) & alone] = np.inf
    # Missing is no way to diverge, nor is infinity with another sign.
    odd = (np.isnan(given) != np.isnan(fresh)) | (np.isinf(given) & (given == -fresh))
    units[odd] = np.inf
    return units


def _apart_in_median(given: np.ndarray, fresh: np.ndarray, level: float) -> float:
    """The median difference in units of what is allowed; one seed says nothing about it."""
    both = np.isfinite(given) & np.isfinite(fresh)
    away = fresh[both] - given[both]
    if len(away) < 2:
        return 0.0
    error = MEDIAN_ERROR * away.std(ddof=1) / np.sqrt(len(away))
    allowed = MEDIAN_FLOOR + stats.t.ppf(1 - level / 2, len(away) - 1) * error
    return float(np.abs(np.median(away)) / allowed)


def _apart_in_divergence(given: np.ndarray, fresh: np.ndarray, level: float) -> float:
    """The sign test's log p over log level: above 1 too many runs diverged in only one."""
    in_one = np.isinf(given) != np.isinf(fresh)
    if not in_one.any():
        return 0.0
    p = stats.binomtest(int(np.isinf(given[in_one]).sum()), int(in_one.sum())).pvalue
    return float(np.log(p) / np.log(level))


def _oddness(values: pd.Series) -> pd.Series:
    """What is no finite number: infinite, of either sign, or missing; 0 for the others."""
    values = values.astype(float)
    return values.where(np.isinf(values), 0.0).mask(values.isna(), 1.0)
