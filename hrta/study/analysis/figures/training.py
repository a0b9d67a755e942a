"""The figures of training: loss curves, and final losses against width and learning rate."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hrta.study.analysis.figures.panels import (
    log_scale,
    mark_switches,
    medians_and_quartiles,
    panel_figure,
    whole_steps,
)
from hrta.study.analysis.figures.style import colours
from hrta.study.analysis.intervals import median_interval
from hrta.study.analysis.schema import Labels


def loss_curves(
    results: pd.DataFrame, methods: Labels, optimizers: Labels, loss: str = "loss"
) -> Figure:
    """Loss against steps: median and interquartile band over seeds, the stage switches marked.

    Args:
        results: rows of `hrta.study.analysis.schema.TRAINING`, of one experiment at one learning
            rate; a row of panels for each width.
        methods: label of each method to show, in order.
        optimizers: label of each optimizer, a column of panels each.
        loss: "loss" (training) or "test_loss".
    """

    def draw(axis: Axes, width: int, optimizer: str) -> None:
        runs = results[(results["width"] == width) & (results["optimizer"] == optimizer)]
        medians_and_quartiles(axis, runs, loss, "method", methods)
        mark_switches(axis, runs)
        log_scale(axis)
        whole_steps(axis)
        axis.margins(x=0.02)

    widths = sorted(results["width"].unique())
    y_label = {"loss": "training loss", "test_loss": "test loss"}[loss]
    return panel_figure(
        dict.fromkeys(widths, y_label),
        optimizers,
        draw,
        height=0.75 + 1.45 * len(widths),
        x_label="steps",
        row_titles={width: f"width m = {width}" for width in widths},
    )


def loss_against_width(
    final: pd.DataFrame, methods: Labels, optimizers: Labels, experiments: Labels
) -> Figure:
    """Final training loss against width: median over seeds and its 95 % bootstrap interval.

    Args:
        final: rows as `hrta.study.analysis.final.final_losses` makes them, at one learning rate.
        methods: label of each method to show, in order.
        optimizers: label of each optimizer, a row of panels each.
        experiments: label of each experiment, a column of panels each.
    """
    widths = sorted(final["width"].unique())

    def draw(axis: Axes, optimizer: str, experiment: str) -> None:
        here = final[(final["optimizer"] == optimizer) & (final["experiment"] == experiment)]
        _medians_against(axis, here, "width", methods, widths)

    return panel_figure(
        {name: f"{label}:\nfinal training loss" for name, label in optimizers.items()},
        experiments,
        draw,
        height=0.7 + 1.6 * len(optimizers),
        x_label="width (neurons)",
    )


def loss_against_learning_rate(final: pd.DataFrame, methods: Labels, optimizers: Labels) -> Figure:
    """Final training loss against the learning rate at the first step, as `loss_against_width`.

    Args:
        final: rows of one experiment, as `hrta.study.analysis.final.final_losses` makes them.
        methods: label of each method to show, in order.
        optimizers: label of each optimizer, a column of panels each; a row for each width.
    """

    def draw(axis: Axes, width: int, optimizer: str) -> None:
        column = final[final["optimizer"] == optimizer]
        rates = sorted(column["learning_rate"].unique())
        here = column[column["width"] == width]
        _medians_against(axis, here, "learning_rate", methods, rates)

    widths = sorted(final["width"].unique())
    return panel_figure(
        dict.fromkeys(widths, "final training loss"),
        optimizers,
        draw,
        height=0.75 + 1.45 * len(widths),
        x_label="learning rate at the first step",
        row_titles={width: f"width m = {width}" for width in widths},
        sharex="col",
    )


def _medians_against(
    axis: Axes, final: pd.DataFrame, column: str, methods: Labels, ticks: Sequence[float]
) -> None:
    """Median final loss and its interval against a column, both logarithmic, for each method.

    The methods' points are shifted a little, so that their intervals do not overlap.
    """
    shifts = np.linspace(-1, 1, len(methods)) if len(methods) > 1 else [0]
    closest = min((b / a for a, b in pairwise(ticks)), default=2)
    for method, colour, shift in zip(methods, colours(methods), shifts, strict=True):
        runs = final[final["method"] == method].groupby(column)["loss"]
        if not len(runs):
            continue
        places = np.array(sorted(runs.groups))
        values = np.array([median_interval(runs.get_group(place)) for place in places])
        middle, low, high = np.where(np.isfinite(values), values, np.nan).T
        axis.errorbar(
            places * closest ** (0.06 * shift),
            middle,
            yerr=(middle - low, high - middle),
            color=colour,
            label=methods[method],
            marker="o",
            markersize=3,
            elinewidth=0.9,
        )
    log_scale(axis)
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
