"""Whether two runs of the same computation agree: to rounding, or as draws of one distribution.

Both runs start from the same seeds, so their numbers come in pairs, a reference and a fresh one. A
rule says how far the two may be apart, and measures their distance in units of that: above 1 they
disagree. Its methods take

    pairs: a table of the columns of a key, reference and fresh.
    level: of each statistical test.
    cell: columns; rows that are alike in them differ in their seed only.

and `deviations` returns the rows of the pairs with the columns check and units.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

# Probability of a disagreement in a whole verification of two runs that differ by chance only.
FALSE_ALARM = 0.01
# Of the sign test alone: few cells have enough runs that diverged in only one to fail it.
SIGN_LEVEL = 1e-3
# What a cell's median and a single run may always differ by, in decades: 2.3 % and 12 %.
MEDIAN_FLOOR, RUN_FLOOR = 0.01, 0.05
# The standard error of a median over that of the mean, of normal numbers.
MEDIAN_ERROR = np.sqrt(np.pi / 2)
SIDES = ["reference", "fresh"]


class Rule:
    """What the rules have in common: by default they need no statistical tests."""

    def tests(self, _table: pd.DataFrame, _cell: tuple[str, ...]) -> int:
        """How many statistical tests a column of the table needs."""
        return 0


@dataclass(frozen=True)
class Same(Rule):
    """The two are equal, or both are missing; else they are infinitely far apart."""

    def deviations(
        self, pairs: pd.DataFrame, _level: float, _cell: tuple[str, ...]
    ) -> pd.DataFrame:
        """0 or infinity for each pair."""
        same = _alike(pairs[SIDES].to_numpy(dtype=float))
        return pairs.assign(check="value", units=np.where(same, 0.0, np.inf))


@dataclass(frozen=True)
class Close(Rule):
    """The two differ by rounding: |fresh - reference| <= tolerance x scale.

    Attributes:
        tolerance: relative.
        alike: columns; the scale is the largest absolute reference over rows alike in them.
        of: another column, from which the scale is taken; the pairs have it as `size`.
    """

    tolerance: float
    alike: tuple[str, ...]
    of: str | None = None

    def deviations(
        self, pairs: pd.DataFrame, _level: float, _cell: tuple[str, ...]
    ) -> pd.DataFrame:
        """The difference over what is allowed; infinite if one of the two only is finite."""
        sizes = pairs["size" if self.of else "reference"].abs()
        sizes = sizes.where(np.isfinite(sizes))
        scale = sizes.groupby([pairs[name] for name in self.alike], dropna=False).transform("max")
        with np.errstate(invalid="ignore"):
            away = (pairs["fresh"] - pairs["reference"]).abs().astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            units = (away / (self.tolerance * scale)).where(away > 0, 0.0)
        odd = _not_finite(pairs["reference"]) != _not_finite(pairs["fresh"])
        return pairs.assign(check="value", units=units.mask(odd, np.inf))


@dataclass(frozen=True)
class Drawn(Rule):
    """The two come from trainings that differ by rounding, which long trainings may amplify.

    At worst both are independent draws of one distribution, so their difference d, paired by seed,
    has median 0. Three things are checked, in decades where the numbers are logarithmic, the first
    two at a `level` at which all checks of a verification together seldom raise a false alarm:

        median    |median of d over a cell's k seeds| <= MEDIAN_FLOOR + t e sd(d) / sqrt(k), where
                  e = MEDIAN_ERROR and t the quantile of Student's t
        run       |d| <= RUN_FLOOR + t sqrt(2) spread, for every run; the spread is that over the
                  seeds, the smaller of the reference's and the fresh one, so that a run cannot
                  excuse itself; infinitely far where only one is infinite without an excuse, see
                  below, or missing, or has no logarithm where the scale is logarithmic
        diverged  the numbers of a cell's runs that are infinite in only one pass the sign test

    sd(d) is that within cells, over all cells of the pool, or the cell's own where that is larger;
    the spread is that of the pool's widest cell, for few seeds do not tell which cells are wide; t
    has as many degrees of freedom as all cells of the pool together. A run that is infinite in only
    one is excused if the other has infinite ones in its cell, or, if it is the only such run of its
    cell, near it.

    Attributes:
        scale: "log" for positive numbers, "relative" for numbers that may be negative, in units of
            the cell's median size, or "absolute" for shares.
        pool: columns of the cell; cells that are alike in them have similar spreads. For cells with
            too few seeds to estimate their own. Default: the cell.
        near: columns of the cell; runs of cells that are alike in them may diverge alike. Default:
            the pool.
        step: numbers are multiples of about this by rounding; 0 counts as one step if the other run
            has numbers of at most a hundred steps in the cell.
    """

    scale: str = "log"
    pool: tuple[str, ...] | None = None
    near: tuple[str, ...] | None = None
    step: float | None = None

    def tests(self, table: pd.DataFrame, cell: tuple[str, ...]) -> int:
        """One for each run and one for each cell."""
        return len(table) + len(table[list(cell)].drop_duplicates())

    def deviations(self, pairs: pd.DataFrame, level: float, cell: tuple[str, ...]) -> pd.DataFrame:
        """How far runs and cells are apart in units of what is allowed.

        Returns:
            For the check run the pairs; for the checks median and diverged one row for each cell,
            without a seed: reference and fresh are medians and shares.
        """
        columns = list(cell)
        pool = self.pool or cell
        cell, pool, near = (_numbers(pairs, by) for by in (cell, pool, self.near or pool))
        values = pairs[SIDES].to_numpy(dtype=float)
        scaled = self._scaled(values, cell)
        both = np.isfinite(scaled).all(axis=1)
        away = np.where(both, np.subtract(*np.where(both[:, None], scaled, 0).T), 0.0)
        groups = cell, pool, both
        widest = [pd.Series(_spreads(side, *groups)[0]).groupby(pool) for side in scaled.T]
        spread = np.minimum(*(each.transform("max").to_numpy() for each in widest))
        own, pooled, freedom = _spreads(away, *groups)
        t = scipy.stats.t.ppf(1 - level / 2, np.maximum(freedom, 1))
        units = np.abs(away) / (RUN_FLOOR + t * np.sqrt(2) * spread)
        infinite = np.isposinf(values)
        excused = _excused(infinite, cell, near) & np.isfinite(scaled).any(axis=1)
        units[~both & ~excused & ~_alike(values)] = np.inf
        error = t * MEDIAN_ERROR * np.maximum(own, pooled)
        table = pd.DataFrame({"away": away, "error": error})
        medians = _medians(table[both & (freedom > 0)], cell[both & (freedom > 0)])
        diverged = _sign_tests(infinite, cell)

        first = ~pd.Series(cell).duplicated().to_numpy()
        names = pairs.loc[first, columns].reset_index(drop=True)
        middle = pairs[SIDES].astype(float).groupby(cell).median()
        shares = pd.DataFrame(infinite, columns=SIDES).groupby(cell).mean()
        of_cells = [
            names.join(middle).assign(check="median", units=medians.reindex(names.index).fillna(0)),
            names.join(shares).assign(check="diverged", units=diverged),
        ]
        return pd.concat([pairs.assign(check="run", units=units), *of_cells], ignore_index=True)

    def _scaled(self, values: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Both sides so that differences are in decades; what has no logarithm is not finite."""
        if self.scale == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.log10(self._stepped(values, cell))
        if self.scale == "relative":
            given = pd.Series(np.abs(values[:, 0]))
            size = given.where(np.isfinite(given)).groupby(cell).transform("median")
            return values / (size.where(size > 0, 1.0).to_numpy()[:, None] * np.log(10))
        return values

    def _stepped(self, values: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """One step for 0 where the other side has numbers as small in the cell."""
        if self.step is None:
            return values
        small = (values == 0) | ((values >= self.step) & (values <= 100 * self.step))
        reached = pd.DataFrame(small).groupby(cell).transform("any").to_numpy()
        return np.where((values == 0) & reached[:, ::-1], self.step, values)


def _numbers(table: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """The number of each row's group, those that are alike in these columns."""
    return table.groupby(list(columns), dropna=False, sort=False).ngroup().to_numpy()


def _spreads(
    values: np.ndarray, cell: np.ndarray, pool: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row the spread of its cell, that within the cells of its pool, and the pool's
    degrees of freedom."""
    numbers = pd.Series(values).where(known)
    cells = numbers.groupby(cell)
    count = cells.transform("count")
    squares = (numbers - cells.transform("mean")) ** 2
    own = squares.groupby(cell).transform("sum") / (count - 1).clip(lower=1)
    # A cell's n rows have n - 1 degrees of freedom together.
    freedom = (1 - 1 / count.clip(lower=1)).where(known, 0.0)
    freedom = freedom.groupby(pool).transform("sum").round()
    pooled = squares.groupby(pool).transform("sum") / freedom.clip(lower=1)
    return np.sqrt(own).to_numpy(), np.sqrt(pooled).to_numpy(), freedom.to_numpy()


def _medians(table: pd.DataFrame, cell: np.ndarray) -> pd.Series:
    """Each cell's median difference in units of what is allowed; one seed says nothing about it."""
    cells = table.groupby(cell)
    count = cells.size()
    allowed = MEDIAN_FLOOR + cells["error"].first() / np.sqrt(count)
    return (cells["away"].median().abs() / allowed).where(count > 1, 0.0)


def _alike(values: np.ndarray) -> np.ndarray:
    """Where the two are equal or both missing."""
    given, fresh = values.T
    return (given == fresh) | (np.isnan(given) & np.isnan(fresh))


def _excused(infinite: np.ndarray, cell: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Which runs may be infinite in only one of the two."""
    found = pd.DataFrame(infinite)
    only = found & ~found[[1, 0]].to_numpy()
    lone = only.groupby(cell).transform("sum") == 1
    in_cell, nearby = (found.groupby(by).transform("any")[[1, 0]].to_numpy() for by in (cell, near))
    return (only & (in_cell | (lone & nearby))).any(axis=1).to_numpy()


def _sign_tests(infinite: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """For each cell the sign test's log p over log level: above 1 too many diverged in only one."""
    only = pd.DataFrame(infinite & ~infinite[:, ::-1]).groupby(cell).sum().to_numpy()
    p = [scipy.stats.binomtest(int(a), int(a + b)).pvalue if a + b else 1.0 for a, b in only]
    return np.abs(np.log(p) / np.log(SIGN_LEVEL))


def _not_finite(values: pd.Series) -> pd.Series:
    """Which numbers are infinite, of either sign, or missing (1); 0 for finite ones."""
    values = values.astype(float)
    return values.where(np.isinf(values), 0.0).mask(values.isna(), 1.0)
