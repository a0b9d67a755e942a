"""The figures of training: loss curves, and final losses against width and learning rate."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hrta.study.analysis.figures.panels import log_scale, median_curves, panel_figure
from hrta.study.analysis.figures.style import colours
from hrta.study.analysis.intervals import median_interval
from hrta.study.analysis.schema import Labels


def loss_curves(
    runs: pd.DataFrame, methods: Labels, optimizers: Labels, loss: str = "loss"
) -> Figure:
    """Loss against steps: median and interquartile band over seeds; dotted: stage switches.

    Args:
        runs: rows of `TRAINING`, of one experiment at one learning rate; panels by width.
        methods: label of each method to show, in order.
        optimizers: label of each optimizer, a column of panels each.
        loss: "loss" (training) or "test_loss".
    """

    def draw(axis: Axes, width: int, optimizer: str) -> None:
        here = runs[(runs["width"] == width) & (runs["optimizer"] == optimizer)]
        median_curves(axis, here, loss, "method", methods, switches=True)
        log_scale(axis)
        axis.margins(x=0.02)

    widths = {width: f"width m = {width}" for width in sorted(runs["width"].unique())}
    rows = dict.fromkeys(widths, {"loss": "training loss", "test_loss": "test loss"}[loss])
    height = 0.75 + 1.45 * len(rows)
    return panel_figure(rows, optimizers, draw, height, "steps", row_titles=widths)


def loss_against_width(
    final: pd.DataFrame, methods: Labels, optimizers: Labels, experiments: Labels
) -> Figure:
    """Final training loss against width: median over seeds and its 95 % bootstrap interval.

    Args:
        final: rows of `hrta.study.analysis.final.final_losses`, at one learning rate.
        methods: label of each method to show, in order.
        optimizers, experiments: label of each, a row and a column of panels.
    """
    widths = sorted(final["width"].unique())

    def draw(axis: Axes, optimizer: str, experiment: str) -> None:
        here = final[(final["optimizer"] == optimizer) & (final["experiment"] == experiment)]
        _medians_against(axis, here, "width", methods, widths)

    rows = {name: f"{label}:\nfinal training loss" for name, label in optimizers.items()}
    return panel_figure(rows, experiments, draw, 0.7 + 1.6 * len(rows), "width (neurons)")


def loss_against_learning_rate(final: pd.DataFrame, methods: Labels, optimizers: Labels) -> Figure:
    """Final training loss of one experiment against the learning rate at the first step.

    As `loss_against_width`, panels by width and optimizer.
    """

    def draw(axis: Axes, width: int, optimizer: str) -> None:
        column = final[final["optimizer"] == optimizer]
        rates = sorted(column["learning_rate"].unique())
        _medians_against(axis, column[column["width"] == width], "learning_rate", methods, rates)

    widths = {width: f"width m = {width}" for width in sorted(final["width"].unique())}
    rows = dict.fromkeys(widths, "final training loss")
    height, x_label = 0.75 + 1.45 * len(rows), "learning rate at the first step"
    return panel_figure(rows, optimizers, draw, height, x_label, row_titles=widths, sharex="col")


def _medians_against(
    axis: Axes, final: pd.DataFrame, column: str, methods: Labels, ticks: Sequence[float]
) -> None:
    """Median final loss and its interval against a column, both logarithmic, for each method.

    Points are shifted slightly between methods, so that intervals do not overlap.
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
        places = places * closest ** (0.06 * shift)
        style = {"color": colour, "marker": "o", "markersize": 3, "elinewidth": 0.9}
        axis.errorbar(places, middle, (middle - low, high - middle), label=methods[method], **style)
    log_scale(axis)
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())
