"""The figures of the adaptive activations' own experiment."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from hrta.study.analysis.figures.curves import medians_and_quartiles
from hrta.study.analysis.figures.style import (
    COLUMN_WIDTH,
    colours,
    legend,
    log_scale,
    panels,
    save,
    use_style,
)
from hrta.study.analysis.slopes import relative_errors

__all__ = ["loss_and_slope", "save", "solutions_at_checkpoints"]

Labels = Mapping[str, str]


def solutions_at_checkpoints(solutions: pd.DataFrame, variants: Labels) -> Figure:
    """The functions found after some steps beside the exact one.

    Of each variant the run with the median error at the last checkpoint is shown (the better of
    the two in the middle), with its relative error in each panel.

    Args:
        solutions: rows of one experiment, as `hrta.study.experiments.slopes.laaf_table` makes them.
        variants: label of each variant, a row of panels each; a column for each checkpoint.
    """
    use_style()
    checkpoints = sorted(solutions["step"].unique())
    figure, axes = plt.subplots(
        len(variants),
        len(checkpoints),
        figsize=(COLUMN_WIDTH, 0.7 + 0.95 * len(variants)),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    errors = relative_errors(solutions)
    shades = dict(zip(variants, colours(variants), strict=True))
    for (variant, step), panel, axis in panels(axes, variants, checkpoints):
        run = (solutions["variant"] == variant) & (solutions["seed"] == _seed(errors, variant))
        here = solutions[run & (solutions["step"] == step)]
        axis.plot(here["x1"], here["y"], color="black", linewidth=0.6, label="exact")
        axis.plot(here["x1"], here["prediction"], color=shades[variant])
        error = relative_errors(here)["error"].iloc[0]
        axis.text(0.04, 0.85, f"{100 * error:.1f} %", transform=axis.transAxes, fontsize=7)
        if panel[0] == 0:
            axis.set_title(f"{step:,} steps")
        if panel[0] == len(variants) - 1:
            axis.set_xlabel("x")
        if panel[1] == 0:
            axis.set_ylabel(variants[variant].replace(", ", ",\n"))
    legend(figure, axes, ncols=1)
    return figure


def _seed(errors: pd.DataFrame, variant: str) -> int:
    """The seed with the median error at the last checkpoint."""
    last = errors[(errors["variant"] == variant) & (errors["step"] == errors["step"].max())]
    return last.sort_values("error")["seed"].iloc[(len(last) - 1) // 2]


def loss_and_slope(errors: pd.DataFrame, variants: Labels, experiments: Labels) -> Figure:
    """Mean square error and mean slope against steps: medians and quartiles over seeds.

    Args:
        errors: rows as `hrta.study.experiments.slopes.laaf_table` makes them.
        variants: label of each variant, in order.
        experiments: label of each experiment, a column of panels each.
    """
    use_style()
    quantities = {"loss": "mean square error", "slope": "slope n a,\nmean over layers"}
    figure, axes = plt.subplots(
        2, len(experiments), figsize=(COLUMN_WIDTH, 4.2), sharex=True, squeeze=False
    )
    for (quantity, experiment), panel, axis in panels(axes, quantities, experiments):
        here = errors[errors["experiment"] == experiment]
        medians_and_quartiles(axis, here, quantity, "variant", variants)
        if quantity == "loss":
            log_scale(axis)
            axis.set_title(experiments[experiment])
        else:
            axis.set_xlabel("steps")
            axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.margins(x=0.02)
        if panel[1] == 0:
            axis.set_ylabel(quantities[quantity])
    legend(figure, axes, ncols=3)
    return figure
