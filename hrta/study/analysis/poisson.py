"""Final errors of Deep Ritz networks, and the comparison of methods, paired by seed."""

import numpy as np
import pandas as pd

from hrta.problems.poisson import make_problem
from hrta.study.analysis.comparison import compare
from hrta.study.analysis.final import at_best_learning_rates, final_measures
from hrta.study.analysis.schema import RUN, Labels
from hrta.study.analysis.tables import in_order, labelled, ordered, readable_comparison

QUANTITIES = {
    "l2_error": "L² error",
    "h1_error": "H¹ error",
    "gap": "energy gap",
}
OPTIMIZERS = {"adam": "Adam"}


def with_gaps(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns gap, energy - min E, and loss_gap, loss - exact_loss.

    The gap is positive. A loss_gap below 0 means that the network has a lower energy than the exact
    solution by the quadrature of training, which is not exact.

    Args:
        runs: rows of `POISSON`.
    """
    minimum = {name: make_problem(name).minimum for name in runs["problem"].unique()}
    minima = runs["problem"].map(minimum).astype(float)
    # After divergence both are infinite, and their difference is missing.
    loss_gap = (runs["loss"] - runs["exact_loss"]).fillna(np.inf)
    return runs.assign(gap=runs["energy"] - minima, loss_gap=loss_gap)


def final_errors(runs: pd.DataFrame, fraction: float = 0.02) -> pd.DataFrame:
    """The final l2_error, h1_error, gap and loss_gap of every run, as `final_measures`."""
    return final_measures(with_gaps(runs), RUN, [*QUANTITIES, "loss_gap"], fraction)


def compare_errors(final: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Each method's median final errors and their ratios to the baseline, as `compare`.

    At each learning rate, and at the best of each method, that of the lowest median L^2 error, as
    `at_best_learning_rates`. The column quantity names the error.

    Args:
        final: rows of `final_errors`.
        baseline: name of the method to compare with.

    Raises:
        ValueError: a run without a run of the baseline with the same seed.
    """
    both = pd.concat([final, at_best_learning_rates(final, "l2_error")], ignore_index=True)
    tables = [compare(both, baseline, name).assign(quantity=name) for name in QUANTITIES]
    return pd.concat(tables, ignore_index=True)


def at_own_best(table: pd.DataFrame, final: pd.DataFrame) -> pd.DataFrame:
    """The rows at the best learning rate of each method by the final L^2 error."""
    best = at_best_learning_rates(final, "l2_error")
    cell = ["experiment", "method"]
    chosen = best.drop_duplicates(cell).set_index(cell)["best_learning_rate"]
    wanted = chosen.reindex(pd.MultiIndex.from_frame(table[cell].astype(str)))
    return table[table["learning_rate"].to_numpy() == wanted.to_numpy()]


def readable_errors(
    compared: pd.DataFrame, methods: Labels, experiments: Labels, baseline: str
) -> pd.DataFrame:
    """The rows of `compare_errors` as text: the median and the ratio of each error."""
    table = in_order(compared, methods, OPTIMIZERS, experiments)
    parts = []
    for quantity, label in QUANTITIES.items():
        of_quantity = table[table["quantity"] == quantity]
        text = readable_comparison(of_quantity, methods, OPTIMIZERS, experiments, baseline)
        ratio = next(name for name in text if name.startswith("ratio to"))
        names = {"final loss [95 %]": f"{label} [95 %]", ratio: f"{label}: ratio [95 %]"}
        parts.append(text.drop(columns="optimizer").rename(columns=names))
    table = pd.concat(parts, axis=1)
    return table.loc[:, ~table.columns.duplicated()]


def readable_loss_gaps(final: pd.DataFrame, methods: Labels, experiments: Labels) -> pd.DataFrame:
    """Median final loss_gap at each learning rate as text, with a column for each method."""
    cell = ["experiment", "width", "learning_rate"]
    medians = final.groupby([*cell, "method"], observed=True)["loss_gap"].median()
    table = medians.map("{:.2e}".format).unstack()[list(methods)].reset_index()
    table["experiment"] = ordered(table["experiment"], experiments)
    table = table.sort_values(cell, ignore_index=True).rename(columns=methods)
    table["experiment"] = labelled(table["experiment"], experiments)
    names = {"experiment": "problem", "learning_rate": "learning rate"}
    return table.rename_axis(columns=None).rename(columns=names)
