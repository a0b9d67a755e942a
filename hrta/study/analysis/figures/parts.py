"""The figures of methods composed of parts: their gains, and their loss curves."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, StrMethodFormatter

from hrta.study.analysis.figures.panels import log_scale, median_curves, panel_figure
from hrta.study.analysis.figures.style import colours
from hrta.study.analysis.schema import RATIO, Labels

LINE = 0.17  # inches per row
MARKERS = "osD^v<>"
WIDEST = 1e4  # larger ratios are cut off


def gains_by_part(
    gains: pd.DataFrame, rows: str, colour: str, problems: Labels, title: str
) -> Figure:
    """Final loss relative to the baseline's, with its 95 % interval; left of 1 is better.

    Args:
        gains: rows of `hrta.study.analysis.races.gains`, of one width per problem, `with_parts`.
        rows: the part whose values have a row each.
        colour: the part whose values have a colour and a marker each.
        problems: label of each problem, a column of panels each.
        title: of the horizontal axis.
    """
    lines, shades = (_values(gains[part]) for part in (rows, colour))
    offsets = np.linspace(-0.28, 0.28, len(shades)) if len(shades) > 1 else [0.0]

    def draw(axis: Axes, _: str, problem: str) -> None:
        here = gains[gains["problem"] == problem]
        axis.axvline(1, color="0.4", linewidth=0.8)
        for number, shade in enumerate(shades):
            runs = here[here[colour] == shade].set_index(rows)
            middle, low, high = runs[RATIO].clip(1 / WIDEST, WIDEST).to_numpy().T
            places = lines.get_indexer(runs.index) + offsets[number]
            bars = (np.abs(middle - low), np.abs(high - middle))
            style = {"fmt": MARKERS[number % len(MARKERS)], "color": colours(shades)[number]}
            axis.errorbar(
                middle, places, xerr=bars, **style, markersize=3, linewidth=0.8, label=shade
            )
        _ratio_scale(axis)
        axis.set_yticks(range(len(lines)), lines)
        axis.grid(visible=False, axis="y")
        for place in np.arange(len(lines) - 1) + 0.5:
            axis.axhline(place, color="0.85", linewidth=0.4)

    height = 0.9 + LINE * len(lines) * max(1.0, 0.45 * len(shades))
    figure = panel_figure({"gains": ""}, problems, draw, height, sharex=False, sharey=True)
    figure.axes[0].set_ylim(len(lines) - 0.5, -0.5)
    figure.axes[(len(problems) - 1) // 2].set_xlabel(title)
    return figure


def _values(part: pd.Series) -> pd.Index:
    """The values of a part that occur, in order."""
    return part.cat.remove_unused_categories().cat.categories


def _ratio_scale(axis: Axes) -> None:
    """A logarithmic x axis for a narrow panel, with labels 2 and 5 for a range below a decade."""
    axis.set_xscale("log")
    low, high = np.log10(axis.get_xlim())
    axis.xaxis.set_major_locator(LogLocator(numticks=3))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    between = [digit * 10.0**exponent for exponent in range(-9, 9) for digit in (2, 5)]
    axis.xaxis.set_minor_locator(FixedLocator(between if high - low < 1 else []))
    axis.xaxis.set_minor_formatter(StrMethodFormatter("{x:g}"))
    axis.tick_params(axis="x", which="minor", labelsize="x-small")


def curves_of_paths(runs: pd.DataFrame, paths: Labels, row: str, problems: Labels) -> Figure:
    """Training loss against steps, under the activation of each stage: medians and quartiles.

    Args:
        runs: rows of `RACE`, of one width, `with_parts`, one of which is path.
        paths: label of each path to show, in order.
        row: the part whose values have a row of panels each.
        problems: label of each problem, a column of panels each.
    """

    def draw(axis: Axes, value: str, problem: str) -> None:
        here = runs[(runs[row] == value) & (runs["problem"] == problem)]
        median_curves(axis, here, "loss", "path", paths)
        log_scale(axis)

    rows = {value: f"{value}\ntraining loss" for value in _values(runs[row])}
    return panel_figure(rows, problems, draw, 0.8 + 1.5 * len(rows), "steps", legend_columns=2)
