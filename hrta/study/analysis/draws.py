"""Whether two replications agree as draws of one distribution: the rule for results of training."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from hrta.study.analysis.agreement import SIDES, Rule, equal
from hrta.study.analysis.shifts import mean_shift, sign_test

# Tolerated differences of a cell's mean and median, and of a single run, in decades: 0.23 % and
# 12 %.
SHIFT_FLOOR, RUN_FLOOR = 0.001, 0.05
# Single runs have heavier tails than normal numbers: of some 400 000 differences between three
# replications 9 are above 0.6, 2 above 0.7 and 1 above 0.8 of the tolerance without this factor, so
# that one in thirty comparisons would have one above 1; with it, one in five hundred.
RUN_TAIL = 1.25
# A fresh run's own scatter raises the tolerance of a cell's mean and median up to this many times
# what the reference's spread allows; spreads of few seeds differ by as much.
CAP = 1.5
# Fewer seeds than this do not show how far apart the two replications of a cell are, which may be
# this many times as far as those of its pool.
FEW, MOST = 10, 10.0
# The standard error of a median over that of the mean, of normal numbers.
MEDIAN_ERROR = np.sqrt(np.pi / 2)
# The columns that identify a network's initial weights: runs of different methods that share them
# are not independent.
WEIGHTS = ("experiment", "problem", "width", "seed")


@dataclass(frozen=True)
class Drawn(Rule):
    """The two are results of trainings that amplify rounding errors.

    At worst both are independent draws of one distribution; always may the two be exchanged, so
    that the sign of their difference d, paired by seed, is that of a fair coin. There are these
    checks, in decades if the scale is logarithmic, the first three at a `level` that makes a false
    alarm in a whole verification rare:

        run       |d| <= RUN_FLOOR + RUN_TAIL t sqrt(2) spread for every run; the spread is the
                  standard deviation over seeds, the smaller of the reference's and the fresh one,
                  so that a deviating run does not raise its own tolerance; the deviation is
                  infinite if only one of the two is missing, has no logarithm on a logarithmic
                  scale, or is infinite without being tolerated
        median    |median of d over a cell's k seeds| <= SHIFT_FLOOR + t e sd(d) / sqrt(k), where
                  e = MEDIAN_ERROR, t is the quantile of Student's t, and sd(d) counts as at most
                  the limit CAP sqrt(2) times the spread of the reference; for fewer seeds than FEW
                  as at least half of sqrt(2) times the cell's spread in the reference, up to MOST
                  times the standard deviation in the pool
        mean      the mean of d over a cell, over the cells that are near one another, and over the
                  whole table, by `hrta.study.analysis.shifts.mean_shift`; in a cell of several
                  seeds it is at most SHIFT_FLOOR + t limit / sqrt(k), too
        diverged  the counts of runs that are infinite in only one pass the sign test, in each cell,
                  each group of cells that are near one another, and the table
        zero      likewise those that are 0 in only one, where a resolution is given

    sd(d) is the standard deviation within the cells of the pool, or that of the cell if larger. The
    spread is that of the pool's cell with the largest, as few seeds do not show which cells have
    large ones. t has the degrees of freedom of all cells of the pool. A run that is infinite in
    only one is tolerated if the other has infinite runs in the same cell, or, if it is the only
    such run of its cell, in the cells that are near.

    Attributes:
        scale: "log" for positive numbers, "relative" for numbers that may be negative, in units of
            the cell's median size, or "absolute" for fractions and logarithms.
        pool: columns of the cell; cells with the same values in them have similar spreads, and are
            pooled because a cell has few seeds. Default: all columns.
        near: columns of the cell; runs of cells with the same values in them tend to diverge
            together. Default: the pool.
        resolution: a number that is 0 stands for any up to this value, in cells near which the
            reference has numbers of 0.
        floor: positive numbers below it are rounding errors alone, and count as the floor.
        runs: whether single runs are compared.
    """

    scale: str = "log"
    pool: tuple[str, ...] | None = None
    near: tuple[str, ...] | None = None
    resolution: float | None = None
    floor: float = 0.0
    runs: bool = True

    def tests(self, table: pd.DataFrame, cell: tuple[str, ...]) -> int:
        """One for each run, two for each cell, one for each group of cells and for the table."""
        cells, groups = (table[list(by)].drop_duplicates() for by in (cell, self._near(cell)))
        return self.runs * len(table) + 2 * len(cells) + len(groups) + 1

    def _near(self, cell: tuple[str, ...]) -> tuple[str, ...]:
        return self.near or self.pool or cell

    def deviations(self, pairs: pd.DataFrame, level: float, cell: tuple[str, ...]) -> pd.DataFrame:
        """The deviations of runs, cells and groups of cells in units of the tolerances.

        Returns:
            The pairs with the check run; and for each other check one row for each cell or group,
            without what its members do not share, where reference and fresh are medians, 0 and the
            mean difference, or fractions.
        """
        columns = {"cell": list(cell), "near": list(self._near(cell)), "table": []}
        by = {name: group_numbers(pairs, names) for name, names in columns.items()}
        pool = group_numbers(pairs, list(self.pool or cell))
        values = pairs[SIDES].to_numpy(dtype=float)
        scaled, censored = self._scaled(values, by["cell"], by["near"])
        both = np.isfinite(scaled).all(axis=1)
        difference = np.where(both, np.subtract(*np.where(both[:, None], scaled, 0).T[::-1]), 0.0)
        allowed = _allowed(scaled, difference, by["cell"], pool, both, level)
        units = np.abs(difference) / allowed["run"].to_numpy()
        infinite = np.isposinf(values)
        tolerated = _tolerated(infinite, by["cell"], by["near"]) & np.isfinite(scaled).any(axis=1)
        units[~both & ~tolerated & ~equal(values)] = np.inf
        found = [pairs.assign(check="run", units=units)] if self.runs else []

        weights = group_numbers(pairs, [name for name in WEIGHTS if name in pairs])
        for name, of in by.items():
            units = {"mean": mean_shift(difference, both, of, weights, level, SHIFT_FLOOR)}
            if name == "cell":
                cells = _cells(allowed.assign(difference=difference), of)
                units = {
                    "median": cells["median"],
                    "mean": np.maximum(units["mean"], cells["mean"]),
                }
            units["diverged"] = sign_test(infinite, of)
            if self.resolution is not None:
                units["zero"] = sign_test(censored[:, None] & (values == 0), of)
            found += _of_groups(pairs, values, difference, columns[name], of, units)
        return pd.concat(found, ignore_index=True)

    def _scaled(
        self, values: np.ndarray, cell: np.ndarray, near: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both sides so that differences are in decades, and which pairs have a 0 that stands for
        a small number; not finite without a logarithm."""
        censored = np.zeros(len(values), dtype=bool)
        if self.scale == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                raised = np.where(values > 0, np.maximum(values, self.floor), values)
                if self.resolution is not None:
                    zero = values == 0
                    known = pd.Series(zero[:, 0]).groupby(near).transform("any").to_numpy()
                    censored = known & zero.any(axis=1) & (values >= 0).all(axis=1)
                    least = np.maximum(raised, self.resolution)
                    raised = np.where(censored[:, None], least, raised)
                return np.log10(raised), censored
        if self.scale == "relative":
            given = pd.Series(np.abs(values[:, 0]))
            size = given.where(np.isfinite(given)).groupby(cell).transform("median")
            values = values / (size.where(size > 0, 1.0).to_numpy()[:, None] * np.log(10))
        return values, censored


def group_numbers(table: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """The number of each row's group: the rows with the same values in these columns."""
    if not columns:
        return np.zeros(len(table), dtype=int)
    return table.groupby(columns, dropna=False, sort=False).ngroup().to_numpy()


def _of_groups(
    pairs: pd.DataFrame,
    values: np.ndarray,
    difference: np.ndarray,
    columns: list[str],
    of: np.ndarray,
    units: dict[str, np.ndarray],
) -> list[pd.DataFrame]:
    """A row for each group and check, with the columns that the group's rows have in common."""
    first = ~pd.Series(of).duplicated().to_numpy()
    names = pairs.loc[first, columns].reset_index(drop=True)
    sides = {
        "median": pd.DataFrame(values, columns=SIDES).groupby(of).median(),
        "mean": pd.DataFrame({"reference": 0.0, "fresh": difference}).groupby(of).mean(),
        "diverged": pd.DataFrame(np.isposinf(values), columns=SIDES).groupby(of).mean(),
        "zero": pd.DataFrame(values == 0, columns=SIDES).groupby(of).mean(),
    }
    return [
        pd.concat([names, sides[check]], axis=1).assign(check=check, units=np.asarray(each))
        for check, each in units.items()
    ]


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


def _widest(side: np.ndarray, cell: np.ndarray, pool: np.ndarray, known: np.ndarray) -> np.ndarray:
    """For each row the standard deviation over seeds in the cell of its pool with the largest."""
    of_cells = pd.Series(_spreads(side, cell, pool, known)[0])
    return of_cells.groupby(pool).transform("max").to_numpy()


def _allowed(
    scaled: np.ndarray,
    difference: np.ndarray,
    cell: np.ndarray,
    pool: np.ndarray,
    both: np.ndarray,
    level: float,
) -> pd.DataFrame:
    """What is allowed for each row: run, and the cell's median and mean for a single seed.

    The last two are missing where nothing is known.
    """
    from scipy import stats

    groups = cell, pool, both
    widest = [_widest(side, *groups) for side in scaled.T]
    own, pooled, freedom = _spreads(difference, *groups)
    # Few differences may lie together by chance.
    scatter = np.minimum(_spreads(scaled[:, 0], *groups)[0] / np.sqrt(2), MOST * pooled)
    few = pd.Series(both).groupby(cell).transform("sum").to_numpy() < FEW
    scatter = np.maximum(np.maximum(own, pooled), np.where(few, scatter, 0.0))
    t = stats.t.ppf(1 - level / 2, np.maximum(freedom, 1))
    limit = t * CAP * np.sqrt(2) * widest[0]
    run = RUN_FLOOR + RUN_TAIL * t * np.sqrt(2) * np.minimum(*widest)
    table = pd.DataFrame({"median": MEDIAN_ERROR * np.minimum(t * scatter, limit), "mean": limit})
    return table.where(pd.Series(both & (freedom > 0)), axis=0).assign(run=run)


def _cells(table: pd.DataFrame, cell: np.ndarray) -> pd.DataFrame:
    """Each cell's median and mean difference in units of the tolerances; 0 for one seed."""
    known = table["mean"].notna()
    cells = table.where(known, axis=0).groupby(cell)
    count = cells["mean"].count()
    difference = cells["difference"].agg(["median", "mean"]).abs()
    allowed = cells[["median", "mean"]].first().div(np.sqrt(count.clip(lower=1)), axis=0)
    units = difference / (SHIFT_FLOOR + allowed)
    return units.where(count > 1, 0.0)


def _tolerated(infinite: np.ndarray, cell: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Whether each run may be infinite in only one of the two."""
    found = pd.DataFrame(infinite)
    only = found & ~found[[1, 0]].to_numpy()
    lone = only.groupby(cell).transform("sum") == 1
    in_cell, nearby = (found.groupby(by).transform("any")[[1, 0]].to_numpy() for by in (cell, near))
    return (only & (in_cell | (lone & nearby))).any(axis=1).to_numpy()
