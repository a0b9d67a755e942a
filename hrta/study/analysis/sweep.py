"""The tables of a sweep: every cell for programs, the best learning rates for people."""

from collections.abc import Mapping

import pandas as pd

from hrta.study.analysis.comparison import CELL, at_best_learning_rates

Labels = Mapping[str, str]


def cells(final: pd.DataFrame) -> pd.DataFrame:
    """Final losses of each cell of the grid over its seeds: median, quartiles, how many diverged.

    Args:
        final: rows as `hrta.study.analysis.comparison.final_losses` makes them; a diverged run's
            loss is infinite.

    Returns:
        Table of experiment, optimizer, width, learning_rate, method, seeds, diverged, low, loss,
        high and, where there is one, test_loss.
    """
    grouped = final.groupby(CELL, observed=True, sort=False)
    columns = {
        "seeds": grouped["loss"].size(),
        "diverged": grouped["loss"].agg(lambda losses: int((losses == float("inf")).sum())),
        "low": grouped["loss"].quantile(0.25, interpolation="nearest"),
        "loss": grouped["loss"].median(),
        "high": grouped["loss"].quantile(0.75, interpolation="nearest"),
    }
    if "test_loss" in final:
        columns["test_loss"] = grouped["test_loss"].median()
    return pd.DataFrame(columns).reset_index()


def at_their_best(
    final: pd.DataFrame, methods: Labels, optimizers: Labels, experiments: Labels
) -> pd.DataFrame:
    """Each method at its own best learning rate, as text: the median loss, and at which rate.

    Args:
        final: as for `cells`.
        methods, optimizers, experiments: labels of those to show, in order.

    Returns:
        A row for each problem, optimizer and method, a column for each width.
    """
    best = at_best_learning_rates(final)
    of = ["experiment", "optimizer", "method", "width", "best_learning_rate"]
    medians = best.groupby(of, observed=True)["loss"].median().reset_index()
    text = [f"{row.loss:.2e} ({row.best_learning_rate:g})" for row in medians.itertuples()]
    rows = ["experiment", "optimizer", "method"]
    table = medians.assign(text=text).pivot(index=rows, columns="width", values="text")
    wanted = pd.MultiIndex.from_product([experiments, optimizers, methods], names=rows)
    table = table.reindex(wanted[wanted.isin(table.index)]).reset_index()
    table.columns = [f"m = {name}" if isinstance(name, int) else name for name in table.columns]
    shown = {"experiment": experiments, "optimizer": optimizers, "method": methods}
    for name, labels in shown.items():
        table[name] = table[name].map(dict(labels))
    return table.rename(columns={"experiment": "problem"})
