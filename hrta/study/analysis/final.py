"""Final measures of runs, and the best learning rates."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hrta.study.analysis.schema import CELL, CLOCKS, LOSSES, RACE, RACE_RUN, RUN, SHARES


def final_measures(
    runs: pd.DataFrame, run: Sequence[str], measures: Sequence[str], fraction: float = 0.02
) -> pd.DataFrame:
    """The final measures of every run: medians over the logged rows of its last steps.

    Medians, because Adam oscillates. A missing loss or error counts as infinite, as after
    divergence; missing fractions are left out.

    Args:
        runs: rows with the column step, one for each run and logged step.
        run: columns that identify a run.
        measures: columns to reduce.
        fraction: final fraction of a run's steps.

    Returns:
        One row for each run, sorted by the columns `run`: these columns and the measures.
    """
    run, measures = list(run), list(measures)
    last = runs.groupby(run, observed=True)["step"].transform("max")
    infinite = {name: np.inf for name in measures if name not in SHARES}
    end = runs[runs["step"] >= (1 - fraction) * last].fillna(infinite)
    return end.groupby(run, observed=True)[measures].median().reset_index()


def final_losses(runs: pd.DataFrame, fraction: float = 0.02) -> pd.DataFrame:
    """The final losses of every run: `RUN`, loss and, if the runs have it, test_loss.

    Args:
        runs: rows of `TRAINING`.
        fraction: final fraction of a run's steps.
    """
    return final_measures(runs, RUN, [name for name in LOSSES if name in runs], fraction)


def diverged(table: pd.DataFrame) -> list[bool]:
    """Whether the last loss of each run is not finite; empty for a table without losses of runs.

    Args:
        table: a tidy table of any experiment, the rows of each run in order.
    """
    if not {"seed", "loss"} <= set(table):
        return []
    run = [name for name in (*RUN, "problem", "variant") if name in table]
    last = table.groupby(run, observed=True, sort=False)["loss"].nth(-1)
    return (~np.isfinite(last)).tolist()


def race_measures(table: pd.DataFrame) -> list[str]:
    """Those of the measures loss, test_loss and test_error that a table of a race has."""
    return [name for name in RACE.measured if name in table]


def final_race_results(runs: pd.DataFrame, fraction: float = 0.02) -> pd.DataFrame:
    """The final measures of every run of a race, as `final_measures`, and its costs.

    The test loss is missing for problems without a test set.

    Args:
        runs: rows of `RACE`.
        fraction: final fraction of a run's steps.

    Returns:
        Table of problem, width, method, seed, the measures, and the totals evaluations and seconds.
    """
    final = final_measures(runs, RACE_RUN, race_measures(runs), fraction)
    tested = runs.loc[runs["test_loss"].notna(), "problem"].unique()
    final["test_loss"] = final["test_loss"].where(final["problem"].isin(tested))
    totals = runs.groupby(RACE_RUN, observed=True)[list(CLOCKS)].max().reset_index()
    return final.merge(totals, on=RACE_RUN)


def at_learning_rates(results: pd.DataFrame, learning_rates: Mapping[str, float]) -> pd.DataFrame:
    """The rows with the given learning rate of each optimizer."""
    wanted = results["optimizer"].map(learning_rates).astype(float)
    return results[results["learning_rate"] == wanted]


def at_best_learning_rates(final: pd.DataFrame, loss: str = "loss") -> pd.DataFrame:
    """The rows of each method at its best learning rate, with the lowest median over seeds.

    Args:
        final: rows of `final_losses`.
        loss: column of the loss that decides.

    Returns:
        The rows with these learning rates in the column best_learning_rate; the column
        learning_rate is missing.
    """
    tuned = [name for name in CELL if name != "learning_rate"]
    medians = final.groupby(CELL, observed=True)[loss].median().reset_index()
    best = medians.sort_values(loss, kind="stable").groupby(tuned, observed=True).head(1)
    chosen = final.merge(best[CELL], on=CELL)
    return chosen.assign(best_learning_rate=chosen["learning_rate"], learning_rate=np.nan)
