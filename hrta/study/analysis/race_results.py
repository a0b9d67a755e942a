"""What a race leaves behind, and how each of its runs ended."""

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd

PAIR = ["problem", "width"]
CELL = [*PAIR, "method"]
RUN = [*CELL, "seed"]
CLOCKS = ("evaluations", "seconds")


def measures(table: pd.DataFrame) -> list[str]:
    """Which columns of a table tell how good a network is: loss, test_loss, test_error."""
    return [name for name in ("loss", "test_loss", "test_error") if name in table]


def ends(runs: pd.DataFrame, fraction: float = 0.02) -> pd.DataFrame:
    """How every run ended: the median losses over the logged rows of its last steps, and its costs.

    A missing loss counts as infinite; a missing test loss only where the problem has a test set.

    Args:
        runs: rows of problem, width, method, seed, step, evaluations, seconds, loss, test_loss and,
            where there are classes, test_error.
        fraction: which part of a run's steps is its end.

    Returns:
        Table of problem, width, method, seed, loss, test_loss, test_error (if it is there),
        evaluations, seconds (totals).
    """
    tested = runs.groupby("problem", observed=True)["test_loss"].transform("count") > 0
    test_loss = runs["test_loss"].fillna(np.inf).where(tested)
    runs = runs.assign(loss=runs["loss"].fillna(np.inf), test_loss=test_loss)
    last = runs.groupby(RUN, observed=True)["step"].transform("max")
    end = runs[runs["step"] >= (1 - fraction) * last].groupby(RUN, observed=True)
    totals = runs.groupby(RUN, observed=True)[list(CLOCKS)].max()
    return end[measures(runs)].median().join(totals).reset_index()


def on(
    problems: Collection[str],
    widths: Collection[int] | None = None,
    methods: Collection[str] | None = None,
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """What keeps the rows of these problems, and of these widths and methods if they are given."""
    wanted = {"problem": problems, "width": widths, "method": methods}

    def keep(runs: pd.DataFrame) -> pd.DataFrame:
        for column, values in wanted.items():
            if values is not None:
                runs = runs[runs[column].isin(list(values))]
        return runs

    return keep
