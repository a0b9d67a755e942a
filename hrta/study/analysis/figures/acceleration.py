"""The figures about heavy ball and Nesterov: a function takes a tidy table, returns a figure."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hrta.study.analysis.figures.style import (
    COLUMN_WIDTH,
    colours,
    legend,
    line_and_band,
    panels,
    save,
    use_style,
)

__all__ = ["loss_against_steps", "save", "travel_against_width"]

Labels = Mapping[str, str]
# Relative losses below are rounding.
LOWEST = 1e-14


def loss_against_steps(table: pd.DataFrame, experiments: Labels, optimizers: Labels) -> Figure:
    """R(t) / R(0): median over seeds, band from lowest to highest; dashed what linear theory says.

    Args:
        table: rows as `hrta.study.experiments.acceleration.acceleration_table` makes them.
        experiments: label of each experiment, a row of panels each; a column for each width.
        optimizers: label of each optimizer to show, in order.
    """
    use_style()
    dashed = {"color": "black", "linestyle": "--", "linewidth": 0.8}
    widths = sorted(table["width"].dropna().unique())
    figure, axes = plt.subplots(
        len(experiments),
        len(widths),
        figsize=(COLUMN_WIDTH, 0.75 + 1.5 * len(experiments)),
        sharex="row",
        sharey=True,
        squeeze=False,
    )
    for (experiment, width), panel, axis in panels(axes, experiments, widths):
        here = table[(table["experiment"] == experiment) & (table["width"] == width)]
        start = here.groupby(["optimizer", "seed"], observed=True)["loss"].transform("first")
        for optimizer, colour in zip(optimizers, colours(optimizers), strict=True):
            runs = here[here["optimizer"] == optimizer]
            relative = runs[["loss", "predicted"]].div(start.loc[runs.index], axis=0)
            by_step = relative.clip(lower=LOWEST / 10).groupby(runs["step"])
            _band(axis, by_step["loss"], colour, optimizers[optimizer])
            darker = tuple(0.5 * part for part in colour)
            axis.plot(by_step["predicted"].median(), **(dashed | {"color": darker}))
        axis.plot([], **dashed, label="linear theory")
        axis.set(yscale="log", ylim=(LOWEST, 3))
        if panel[0] == 0:
            axis.set_title(f"m = {width:,}")
        if panel[1] == 0:
            axis.set_ylabel(f"{experiments[experiment]}\nloss, R(t)/R(0)")
        if panel[0] == len(experiments) - 1:
            axis.set_xlabel("steps")
    legend(figure, axes, ncols=len(optimizers) + 1)
    return figure


def travel_against_width(table: pd.DataFrame, experiments: Labels, optimizers: Labels) -> Figure:
    """The largest distance that an inner weight vector has gone after the last step, as above.

    Args:
        table: rows as `hrta.study.experiments.acceleration.acceleration_table` makes them.
        experiments: label of each experiment, a panel each.
        optimizers: label of each optimizer to show, in order.
    """
    use_style()
    figure, axes = plt.subplots(
        1, len(experiments), figsize=(COLUMN_WIDTH, 2.4), sharex=True, sharey=True, squeeze=False
    )
    for (_, experiment), panel, axis in panels(axes, ["travel"], experiments):
        here = table[(table["experiment"] == experiment) & table["travel"].notna()]
        ends = here[here["step"] == here["step"].max()].astype({"width": float})
        for optimizer, colour in zip(optimizers, colours(optimizers), strict=True):
            by_width = ends[ends["optimizer"] == optimizer].groupby("width")["travel"]
            _band(axis, by_width, colour, optimizers[optimizer], marker="o")
        places = np.array(sorted(ends["width"].unique()))
        middle = np.exp(np.log(ends["travel"]).mean() + np.log(ends["width"]).mean() / 2)
        slope = {"color": "0.4", "linestyle": ":", "label": "slope −1/2"}
        axis.plot(places, middle * places**-0.5, **slope)
        axis.set(xscale="log", yscale="log", title=experiments[experiment])
        axis.set_xlabel("width m (neurons)")
        if panel[1] == 0:
            axis.set_ylabel("largest travel of\nan inner weight vector")
    legend(figure, axes, ncols=len(optimizers) + 1)
    return figure


def _band(
    axis: Axes,
    groups: pd.core.groupby.SeriesGroupBy,
    colour: tuple,
    label: str,
    marker: str | None = None,
) -> None:
    """Median of each group, and the band from the lowest to the highest."""
    over = groups.agg(["min", "median", "max"])
    line_and_band(axis, over, colour, label, marker=marker, markersize=3)
