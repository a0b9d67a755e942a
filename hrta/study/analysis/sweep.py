"""The tables of a sweep: all cells as numbers, the best learning rates as text."""

import numpy as np
import pandas as pd

from hrta.study.analysis.final import at_best_learning_rates
from hrta.study.analysis.schema import CELL, Labels
from hrta.study.analysis.tables import labelled


def cells(final: pd.DataFrame) -> pd.DataFrame:
    """The final losses of each cell over its seeds, from `hrta.study.analysis.final.final_losses`.

    Returns:
        Table of `CELL`, seeds, diverged (number of runs), low, loss, high (quartiles and median)
        and, if `final` has it, test_loss (median).
    """
    grouped = final.groupby(CELL, observed=True, sort=False)
    losses = grouped["loss"]
    columns = {
        "seeds": losses.size(),
        "diverged": losses.agg(lambda each: int(np.isinf(each).sum())),
        "low": losses.quantile(0.25, interpolation="nearest"),
        "loss": losses.median(),
        "high": losses.quantile(0.75, interpolation="nearest"),
    }
    if "test_loss" in final:
        columns["test_loss"] = grouped["test_loss"].median()
    return pd.DataFrame(columns).reset_index()


def at_their_best(
    final: pd.DataFrame, methods: Labels, optimizers: Labels, experiments: Labels
) -> pd.DataFrame:
    """The median loss of each method at its best learning rate, and this rate, as text.

    A row for each problem, optimizer and method of the labels, a column for each width.
    """
    best = at_best_learning_rates(final)
    shown = {"experiment": experiments, "optimizer": optimizers, "method": methods}
    cell = [*shown, "width", "best_learning_rate"]
    medians = best.groupby(cell, observed=True)["loss"].median().reset_index()
    text = [f"{row.loss:.2e} ({row.best_learning_rate:g})" for row in medians.itertuples()]
    table = medians.assign(text=text).pivot(index=[*shown], columns="width", values="text")
    wanted = pd.MultiIndex.from_product(shown.values(), names=[*shown])
    table = table.reindex(wanted[wanted.isin(table.index)]).reset_index()
    table.columns = [f"m = {name}" if isinstance(name, int) else name for name in table.columns]
    for name, labels in shown.items():
        table[name] = labelled(table[name], labels)
    return table.rename(columns={"experiment": "problem"})
