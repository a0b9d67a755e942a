"""Grids of panels, and the elements that panels of several figures share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, StrMethodFormatter
from pandas.api.typing import SeriesGroupBy

from hrta.study.analysis.figures.style import COLUMN_WIDTH, colours, use_style
from hrta.study.analysis.intervals import quantiles_by_step
from hrta.study.analysis.schema import Labels

DOTTED = {"color": "0.4", "linestyle": ":"}


def panel_figure(
    rows: Mapping[Any, str],
    columns: Mapping[Any, str],
    draw: Callable[[Axes, Any, Any], None],
    height: float,
    x_label: str | Mapping[Any, str] = "",
    legend_columns: int = 3,
    row_titles: Mapping[Any, str] | None = None,
    sharex: bool | str = True,
    sharey: bool | str = False,
) -> Figure:
    """A grid of panels of the width of a text column, with one legend below.

    Args:
        rows: label of the vertical axis of each row, shown on its first panel.
        columns: title of each column, shown above its first panel.
        draw: draws a panel from the axes and the keys of its row and its column.
        height: of the figure, in inches.
        x_label: of the horizontal axis of each column, shown below its last panel.
        legend_columns: number of columns of the legend.
        row_titles: text above each panel of a row, below the column's title.
        sharex, sharey: as `matplotlib.pyplot.subplots` takes them.
    """
    use_style()
    size, grid = (COLUMN_WIDTH, height), (len(rows), len(columns))
    figure, axes = plt.subplots(*grid, figsize=size, sharex=sharex, sharey=sharey, squeeze=False)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            axis = axes[i, j]
            draw(axis, row, column)
            titles = [columns[column] if i == 0 else "", (row_titles or {}).get(row, "")]
            if any(titles):
                axis.set_title("\n".join(filter(None, titles)))
            if i == len(rows) - 1 and x_label:
                axis.set_xlabel(x_label if isinstance(x_label, str) else x_label[column])
            if j == 0:
                axis.set_ylabel(rows[row])
    legend(figure, axes.flat, legend_columns)
    return figure


def legend(figure: Figure, axes: Sequence[Axes], ncols: int) -> None:
    """One legend below all panels, with the labels of any of them."""
    entries = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        entries = dict(zip(labels, handles, strict=True)) | entries
    if entries:
        figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=ncols)


def line_and_band(
    axis: Axes, over: pd.DataFrame, colour: tuple, label: str, **line: object
) -> None:
    """The second column against the index as a line, the range of first to third as a band."""
    low, middle, high = (over.iloc[:, i] for i in range(3))
    axis.fill_between(over.index, low, high, color=colour, alpha=0.2, linewidth=0)
    axis.plot(over.index, middle, color=colour, label=label, **line)


def median_curves(
    axis: Axes, runs: pd.DataFrame, quantity: str, by: str, labels: Labels, switches: bool = False
) -> None:
    """Medians and quartiles over seeds against the steps, for each name in the column `by`.

    Args:
        axis: axes to draw on.
        runs: rows with the columns step, `by` and the quantity.
        quantity: column to draw.
        by: column of the names.
        labels: label of each name, in order; names without rows are left out.
        switches: whether dotted lines mark the beginnings of the stages after the first.
    """
    for name, colour in zip(labels, colours(labels), strict=True):
        chosen = runs[runs[by] == name]
        if len(chosen):
            over = quantiles_by_step(chosen, quantity, (0.25, 0.5, 0.75))
            line_and_band(axis, over, colour, labels[name])
    for switch in runs.groupby("stage")["step"].min().iloc[1:] if switches else ():
        axis.axvline(switch, **DOTTED, linewidth=0.8)
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def medians_and_extremes(
    axis: Axes, groups: SeriesGroupBy, colour: tuple, label: str, marker: str | None = "o"
) -> None:
    """The median of each group as a line, and the range as a band."""
    over = groups.agg(["min", "median", "max"])
    line_and_band(axis, over, colour, label, marker=marker, markersize=3)


def slope_line(axis: Axes, x: pd.Series, y: pd.Series) -> None:
    """A line of slope -1/2 on logarithmic axes, through the geometric mean of positive values."""
    x = x.astype(float)
    places, positive = np.array(sorted(x.unique())), y > 0
    middle = np.exp(np.log(y[positive]).mean() + np.log(x[positive]).mean() / 2)
    axis.plot(places, middle * places**-0.5, **DOTTED, label="slope −1/2")


def log_scale(axis: Axes) -> None:
    """A logarithmic y axis with a suitable number of labels for any range."""
    axis.set_yscale("log")
    low, high = np.log10(axis.get_ylim())
    if high - low > 2:
        axis.yaxis.set_minor_formatter(NullFormatter())
    elif high - low > 0.5:
        axis.yaxis.set_minor_formatter(FuncFormatter(_label_2_and_5))


def _label_2_and_5(value: float, _: int) -> str:
    exponent = int(np.floor(np.log10(value)))
    digit = round(value / 10.0**exponent)
    return rf"${digit}\times10^{{{exponent}}}$" if digit in (2, 5) else ""
