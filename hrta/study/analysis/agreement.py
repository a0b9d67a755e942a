"""Whether two replications agree: up to rounding, or as draws of one distribution.

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

# Probability of any disagreement in a verification of two replications that differ by chance.
FALSE_ALARM = 0.01
# Level of the sign test: few cells have enough runs that diverged in only one of the two.
SIGN_LEVEL = 1e-3
# Tolerated differences of a cell's median and of a single run, in decades: 2.3 % and 12 %.
MEDIAN_FLOOR, RUN_FLOOR = 0.01, 0.05
# The standard error of a median over that of the mean, of normal numbers.
MEDIAN_ERROR = np.sqrt(np.pi / 2)
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
        same = _equal(pairs[SIDES].to_numpy(dtype=float))
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


@dataclass(frozen=True)
class Drawn(Rule):
    """The two are results of trainings that amplify rounding errors.

    At worst both are independent draws of one distribution, so that their difference d, paired by
    seed, has median 0. There are three checks, in decades if the scale is logarithmic, the first
    two at a `level` that makes a false alarm in a whole verification rare:

        median    |median of d over a cell's k seeds| <= MEDIAN_FLOOR + t e sd(d) / sqrt(k), where
                  e = MEDIAN_ERROR and t is the quantile of Student's t
        run       |d| <= RUN_FLOOR + t sqrt(2) spread for every run; the spread is the standard
                  deviation over seeds, the smaller of the reference's and the fresh one, so that a
                  deviating run does not raise its own tolerance; the deviation is infinite if only
                  one of the two is missing, has no logarithm on a logarithmic scale, or is infinite
                  without being tolerated
        diverged  the counts of a cell's runs that are infinite in only one pass the sign test

    sd(d) is the standard deviation within the cells of the pool, or that of the cell if larger. The
    spread is that of the pool's cell with the largest, as few seeds do not show which cells have
    large ones. t has the degrees of freedom of all cells of the pool. A run that is infinite in
    only one is tolerated if the other has infinite runs in the same cell, or, if it is the only
    such run of its cell, in the cells that are near.

    Attributes:
        scale: "log" for positive numbers, "relative" for numbers that may be negative, in units of
            the cell's median size, or "absolute" for fractions.
        pool: columns of the cell; cells with the same values in them have similar spreads, and are
            pooled because a cell has few seeds. Default: all columns.
        near: columns of the cell; runs of cells with the same values in them tend to diverge
            together. Default: the pool.
        step: numbers are rounded to multiples of about this value; 0 counts as one step if the
            other run has numbers of at most a hundred steps in the cell. A cell of zeros has no
            spread of its own; it gets that of the cells that are near, in the same replication.
        floor: positive numbers below it are rounding errors alone, and count as the floor.
    """

    scale: str = "log"
    pool: tuple[str, ...] | None = None
    near: tuple[str, ...] | None = None
    step: float | None = None
    floor: float = 0.0

    def tests(self, table: pd.DataFrame, cell: tuple[str, ...]) -> int:
        """One for each run and one for each cell."""
        return len(table) + len(table[list(cell)].drop_duplicates())

    def deviations(self, pairs: pd.DataFrame, level: float, cell: tuple[str, ...]) -> pd.DataFrame:
        """The deviations of runs and cells in units of the tolerances.

        Returns:
            The pairs with the check run; and for the checks median and diverged one row for each
            cell, without a seed, where reference and fresh are medians and fractions.
        """
        from scipy import stats

        columns = list(cell)
        pool = self.pool or cell
        cell, pool, near = (_numbers(pairs, by) for by in (cell, pool, self.near or pool))
        values = pairs[SIDES].to_numpy(dtype=float)
        scaled = self._scaled(values, cell)
        both = np.isfinite(scaled).all(axis=1)
        difference = np.where(both, np.subtract(*np.where(both[:, None], scaled, 0).T), 0.0)
        groups = cell, pool, both
        widest = []
        for side, given in zip(scaled.T, values.T, strict=True):
            of_cell = _spreads(side, *groups)[0]
            if self.step is not None:
                zero = pd.Series(given == 0).groupby(cell).transform("all").to_numpy()
                of_cell = np.where(zero, _spreads(side, cell, near, both & ~zero)[1], of_cell)
            widest.append(pd.Series(of_cell).groupby(pool).transform("max"))
        spread = np.minimum(*(each.to_numpy() for each in widest))
        own, pooled, freedom = _spreads(difference, *groups)
        t = stats.t.ppf(1 - level / 2, np.maximum(freedom, 1))
        units = np.abs(difference) / (RUN_FLOOR + t * np.sqrt(2) * spread)
        infinite = np.isposinf(values)
        tolerated = _tolerated(infinite, cell, near) & np.isfinite(scaled).any(axis=1)
        units[~both & ~tolerated & ~_equal(values)] = np.inf
        error = t * MEDIAN_ERROR * np.maximum(own, pooled)
        table = pd.DataFrame({"difference": difference, "error": error})
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
        """Both sides so that differences are in decades; not finite without a logarithm."""
        if self.scale == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                raised = np.where(values > 0, np.maximum(values, self.floor), values)
                return np.log10(self._stepped(raised, cell))
        if self.scale == "relative":
            given = pd.Series(np.abs(values[:, 0]))
            size = given.where(np.isfinite(given)).groupby(cell).transform("median")
            return values / (size.where(size > 0, 1.0).to_numpy()[:, None] * np.log(10))
        return values

    def _stepped(self, values: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """The values with one step for 0 if the other side has as small numbers in the cell."""
        if self.step is None:
            return values
        small = (values == 0) | ((values >= self.step) & (values <= 100 * self.step))
        reached = pd.DataFrame(small).groupby(cell).transform("any").to_numpy()
        return np.where((values == 0) & reached[:, ::-1], self.step, values)


def _numbers(table: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """The number of each row's group: the rows with the same values in these columns."""
    return table.groupby(list(columns), dropna=False, sort=False).ngroup().to_numpy()


def _spreads(
    values: np.ndarray, cell: np.ndarray, pool: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row the standard deviation in its cell and in its pool, and degrees of freedom."""
    numbers = pd.Series(values).where(known)
    cells = numbers.groupby(cell)
    count = cells.transform("count")
    squares = (numbers - cells.transform("mean")) ** 2
    own = squares.groupby(cell).transform("sum") / (count - 1).clip(lower=1)
    # The n rows of a cell together have n - 1 degrees of freedom.
    freedom = (1 - 1 / count.clip(lower=1)).where(known, 0.0)
    freedom = freedom.groupby(pool).transform("sum").round()
    pooled = squares.groupby(pool).transform("sum") / freedom.clip(lower=1)
    return np.sqrt(own).to_numpy(), np.sqrt(pooled).to_numpy(), freedom.to_numpy()


def _medians(table: pd.DataFrame, cell: np.ndarray) -> pd.Series:
    """Each cell's median difference in units of the tolerance; 0 for cells of one seed."""
    cells = table.groupby(cell)
    count = cells.size()
    allowed = MEDIAN_FLOOR + cells["error"].first() / np.sqrt(count)
    return (cells["difference"].median().abs() / allowed).where(count > 1, 0.0)


def _equal(values: np.ndarray) -> np.ndarray:
    """Whether the two are equal or both missing."""
    given, fresh = values.T
    return (given == fresh) | (np.isnan(given) & np.isnan(fresh))


def _tolerated(infinite: np.ndarray, cell: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Whether each run may be infinite in only one of the two."""
    found = pd.DataFrame(infinite)
    only = found & ~found[[1, 0]].to_numpy()
    lone = only.groupby(cell).transform("sum") == 1
    in_cell, nearby = (found.groupby(by).transform("any")[[1, 0]].to_numpy() for by in (cell, near))
    return (only & (in_cell | (lone & nearby))).any(axis=1).to_numpy()


def _sign_tests(infinite: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """For each cell log p of the sign test over log level; above 1 the test fails."""
    from scipy import stats

    only = pd.DataFrame(infinite & ~infinite[:, ::-1]).groupby(cell).sum().to_numpy()
    p = [stats.binomtest(int(a), int(a + b)).pvalue if a + b else 1.0 for a, b in only]
    return np.abs(np.log(p) / np.log(SIGN_LEVEL))


def _not_finite(values: pd.Series) -> pd.Series:
    """0 for finite numbers, 1 for missing ones, infinite ones unchanged."""
    values = values.astype(float)
    return values.where(np.isinf(values), 0.0).mask(values.isna(), 1.0)
