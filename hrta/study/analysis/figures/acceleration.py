"""The figures of heavy ball and Nesterov, from rows of `ACCELERATION`."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hrta.study.analysis.figures.panels import medians_and_extremes, panel_figure, slope_line
from hrta.study.analysis.figures.style import colours
from hrta.study.analysis.schema import Labels

# Relative losses below this are rounding errors.
LOWEST = 1e-14


def loss_against_steps(table: pd.DataFrame, experiments: Labels, optimizers: Labels) -> Figure:
    """R(t) / R(0): median over seeds, and the range as a band; dashed: linear theory.

    A row of panels for each experiment, a column for each width.
    """
    dashed = {"linestyle": "--", "linewidth": 0.8}

    def draw(axis: Axes, experiment: str, width: int) -> None:
        here = table[(table["experiment"] == experiment) & (table["width"] == width)]
        start = here.groupby(["optimizer", "seed"], observed=True)["loss"].transform("first")
        for optimizer, colour in zip(optimizers, colours(optimizers), strict=True):
            runs = here[here["optimizer"] == optimizer]
            relative = runs[["loss", "predicted"]].div(start.loc[runs.index], axis=0)
            by_step = relative.clip(lower=LOWEST / 10).groupby(runs["step"])
            medians_and_extremes(axis, by_step["loss"], colour, optimizers[optimizer], None)
            darker = tuple(0.5 * part for part in colour)
            axis.plot(by_step["predicted"].median(), color=darker, **dashed)
        axis.plot([], color="black", **dashed, label="linear theory")
        axis.set(yscale="log", ylim=(LOWEST, 3))

    rows = {name: f"{label}\nloss, R(t)/R(0)" for name, label in experiments.items()}
    columns = {width: f"m = {width:,}" for width in sorted(table["width"].dropna().unique())}
    height, entries = 0.75 + 1.5 * len(rows), len(optimizers) + 1
    return panel_figure(rows, columns, draw, height, "steps", entries, sharex="row", sharey=True)


def travel_against_width(table: pd.DataFrame, experiments: Labels, optimizers: Labels) -> Figure:
    """The largest distance of an inner weight vector from its initial value after the last step.

    A panel for each experiment.
    """

    def draw(axis: Axes, _: str, experiment: str) -> None:
        here = table[(table["experiment"] == experiment) & table["travel"].notna()]
        final = here[here["step"] == here["step"].max()].astype({"width": float})
        for optimizer, colour in zip(optimizers, colours(optimizers), strict=True):
            by_width = final[final["optimizer"] == optimizer].groupby("width")["travel"]
            medians_and_extremes(axis, by_width, colour, optimizers[optimizer])
        slope_line(axis, final["width"], final["travel"])
        axis.set(xscale="log", yscale="log")

    rows, entries = {"travel": "largest travel of\nan inner weight vector"}, len(optimizers) + 1
    return panel_figure(rows, experiments, draw, 2.4, "width m (neurons)", entries, sharey=True)
