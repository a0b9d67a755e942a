"""The figure of what methods gain over their baselines."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, StrMethodFormatter

from hrta.study.analysis.figures.style import COLUMN_WIDTH, colours, legend, save, use_style

__all__ = ["gains_by_part", "save"]

LINE = 0.17  # inches for each row
MARKERS = "osD^v<>"
WIDEST = 1e4  # ratios beyond are cut off


def gains_by_part(
    gains: pd.DataFrame, rows: str, colour: str, problems: Mapping[str, str], title: str
) -> Figure:
    """Final loss relative to the baseline's, with its 95 % interval; left of 1 is better.

    Args:
        gains: rows as `hrta.study.analysis.race_statistics.gains` makes them, of one width each
            problem, `hrta.study.analysis.gains.with_parts`.
        rows: the part that has a row for each of its values.
        colour: the part that has a colour and a marker for each of its values.
        problems: label of each problem, a column of panels each.
        title: of the horizontal axis.
    """
    use_style()
    lines = gains[rows].cat.remove_unused_categories().cat.categories
    shades = gains[colour].cat.remove_unused_categories().cat.categories
    offsets = np.linspace(-0.28, 0.28, len(shades)) if len(shades) > 1 else [0.0]
    height = 0.9 + LINE * len(lines) * max(1.0, 0.45 * len(shades))
    figure, axes = plt.subplots(
        1, len(problems), figsize=(COLUMN_WIDTH, height), sharey=True, squeeze=False
    )
    for problem, axis in zip(problems, axes[0], strict=True):
        here = gains[gains["problem"] == problem]
        axis.axvline(1, color="0.4", linewidth=0.8)
        for number, shade in enumerate(shades):
            runs = here[here[colour] == shade].set_index(rows)
            places = lines.get_indexer(runs.index) + offsets[number]
            ratios = runs[["ratio_low", "ratio", "ratio_high"]].clip(1 / WIDEST, WIDEST).to_numpy()
            axis.errorbar(
                ratios[:, 1],
                places,
                xerr=np.abs(np.diff(ratios, axis=1)).T,
                fmt=MARKERS[number % len(MARKERS)],
                color=colours(shades)[number],
                markersize=3,
                linewidth=0.8,
                label=shade,
            )
        _ratio_scale(axis)
        axis.set_title(problems[problem])
        axis.set_yticks(range(len(lines)), lines)
        axis.grid(visible=False, axis="y")
        for place in np.arange(len(lines) - 1) + 0.5:
            axis.axhline(place, color="0.85", linewidth=0.4)
    axes[0, 0].set_ylim(len(lines) - 0.5, -0.5)
    axes[0, (len(problems) - 1) // 2].set_xlabel(title)
    legend(figure, axes, ncols=3)
    return figure


def _ratio_scale(axis: Axes) -> None:
    """A logarithmic x axis for a narrow panel: powers of ten, and 2 and 5 where there are few."""
    axis.set_xscale("log")
    low, high = np.log10(axis.get_xlim())
    axis.xaxis.set_major_locator(LogLocator(numticks=3))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    between = [digit * 10.0**exponent for exponent in range(-9, 9) for digit in (2, 5)]
    axis.xaxis.set_minor_locator(FixedLocator(between if high - low < 1 else []))
    axis.xaxis.set_minor_formatter(StrMethodFormatter("{x:g}"))
    axis.tick_params(axis="x", which="minor", labelsize="x-small")
