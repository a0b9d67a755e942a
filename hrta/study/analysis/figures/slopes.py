"""The figures of the experiment on adaptive slopes."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hrta.study.analysis.figures.panels import log_scale, median_curves, panel_figure
from hrta.study.analysis.figures.style import colours
from hrta.study.analysis.schema import Labels
from hrta.study.analysis.slopes import relative_errors


def solutions_by_step(solutions: pd.DataFrame, variants: Labels) -> Figure:
    """The predictions after some steps and the exact function.

    For each variant the run with the median error at the last step is shown (of an even number of
    runs the better of the middle two), with its relative error in each panel.

    Args:
        solutions: rows of `SLOPE_SOLUTIONS`, of one experiment; a column of panels for each step.
        variants: label of each variant, a row of panels each.
    """
    errors = relative_errors(solutions)
    shades = dict(zip(variants, colours(variants), strict=True))

    def draw(axis: Axes, variant: str, step: int) -> None:
        run = (solutions["variant"] == variant) & (solutions["seed"] == _seed(errors, variant))
        here = solutions[run & (solutions["step"] == step)]
        axis.plot(here["x1"], here["y"], color="black", linewidth=0.6, label="exact")
        axis.plot(here["x1"], here["prediction"], color=shades[variant])
        error = relative_errors(here)["error"].iloc[0]
        axis.text(0.04, 0.85, f"{100 * error:.1f} %", transform=axis.transAxes, fontsize=7)

    rows = {name: label.replace(", ", ",\n") for name, label in variants.items()}
    columns = {step: f"{step:,} steps" for step in sorted(solutions["step"].unique())}
    return panel_figure(rows, columns, draw, 0.7 + 0.95 * len(rows), "x", 1, sharey=True)


def _seed(errors: pd.DataFrame, variant: str) -> int:
    """The seed with the median error at the last step."""
    last = errors[(errors["variant"] == variant) & (errors["step"] == errors["step"].max())]
    return last.sort_values("error")["seed"].iloc[(len(last) - 1) // 2]


def loss_and_slope(errors: pd.DataFrame, variants: Labels, experiments: Labels) -> Figure:
    """Mean square error and mean slope against steps: medians and quartiles over seeds.

    Args:
        errors: rows of `SLOPES`.
        variants: label of each variant, in order.
        experiments: label of each experiment, a column of panels each.
    """

    def draw(axis: Axes, quantity: str, experiment: str) -> None:
        here = errors[errors["experiment"] == experiment]
        median_curves(axis, here, quantity, "variant", variants)
        if quantity == "loss":
            log_scale(axis)
        axis.margins(x=0.02)

    quantities = {"loss": "mean square error", "slope": "slope n a,\nmean over layers"}
    return panel_figure(quantities, experiments, draw, 4.2, "steps")
