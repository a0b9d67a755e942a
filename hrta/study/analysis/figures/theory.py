"""The figures about the tangent-kernel theory: a function takes a tidy table, returns a figure."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hrta.study.analysis.figures.style import (
    COLUMN_WIDTH,
    colours,
    legend,
    line_and_band,
    log_scale,
    panels,
    save,
    use_style,
)

__all__ = [
    "conditioning_against_s",
    "extremes_against_points",
    "kernel_error_against_width",
    "loss_and_bound",
    "motion_against_steps",
    "motion_against_width",
    "save",
]

Labels = Mapping[str, str]


def conditioning_against_s(conditioning: pd.DataFrame, experiments: Labels) -> Figure:
    """How well lambda_min follows s^2, the condition number, and what relaxation gains.

    Args:
        conditioning: rows as `hrta.study.analysis.comparison.conditioning` makes them.
        experiments: label of each experiment, a column of panels each.
    """
    use_style()
    figure, axes = plt.subplots(
        3, len(experiments), figsize=(COLUMN_WIDTH, 5.4), sharex=True, sharey="row", squeeze=False
    )
    quantities = ["digits", "condition", "gain"]
    for (quantity, experiment), panel, axis in panels(axes, quantities, experiments):
        here = conditioning[(conditioning["experiment"] == experiment) & (conditioning["s"] > 0)]
        s = here["s"]
        if quantity == "gain":
            axis.plot(s, here["gain"], label="λₘᵢₙ(s)/λₘᵢₙ(1)")
            axis.plot(s, here["honest_gain"], label="the same at the stability limit of each s")
            axis.plot(s, s**2, "k.", markersize=2, label="s²")
            axis.set_xlabel("parameter s")
        else:
            axis.plot(s, here[quantity].where(np.isfinite(here[quantity])), color="black")
        if quantity == "condition":
            axis.set_yscale("log")
        axis.set_xticks([0, 1, 2])
        if panel[0] == 0:
            axis.set_title(experiments[experiment])
        if panel[1] == 0:
            names = {
                "digits": "digits of agreement\nof λₘᵢₙ with s²",
                "condition": "condition number\nλₘₐₓ/λₘᵢₙ",
                "gain": "rate of the slowest\nmode, against s = 1",
            }
            axis.set_ylabel(names[quantity])
    legend(figure, axes, ncols=3)
    return figure


def kernel_error_against_width(width_limit: pd.DataFrame, experiments: Labels) -> Figure:
    """Distance of the finite networks' kernel, and of its lambda_min, from infinite width.

    Args:
        width_limit: rows as `hrta.study.experiments.width_limit.width_limit_table` makes them.
        experiments: label of each experiment, a column of panels each.
    """
    errors = {
        "kernel_error": "‖Kₘ − K‖ / ‖K‖",
        "smallest_error": "relative error of λₘᵢₙ",
    }

    def draw(axis: Axes, error: str, experiment: str) -> None:
        here = width_limit[width_limit["experiment"] == experiment]
        _lines(axis, here, "width", error, "s", lambda s: f"s = {s:g}")
        _slope(axis, here, "width", error, -0.5, "slope −1/2")

    return _grid(errors, experiments, "width m (neurons)", draw, ncols=5)


def extremes_against_points(sample_number: pd.DataFrame, experiments: Labels) -> Figure:
    """Smallest and largest eigenvalue at infinite width against the number of points.

    Args:
        sample_number: rows as `hrta.study.experiments.sample_number.sample_number_table` makes
            them.
        experiments: label of each experiment, a column of panels each.
    """
    extremes = {
        "smallest": "smallest eigenvalue of Kₛ",
        "largest": "largest eigenvalue of Kₛ",
    }

    def draw(axis: Axes, extreme: str, experiment: str) -> None:
        here = sample_number[sample_number["experiment"] == experiment]
        _lines(axis, here, "points", extreme, "s", lambda s: f"s = {s:g}")

    return _grid(extremes, experiments, "points n", draw, ncols=5)


MOTIONS = {
    "kernel_change": "‖Kₛ(t) − Kₛ(0)‖ / ‖Kₛ(0)‖",
    "inner_travel": "largest travel of\nan inner weight vector",
}


def motion_against_width(motion: pd.DataFrame, methods: Labels, optimizers: Labels) -> Figure:
    """How far the kernel and the weights have moved when training ends, against width.

    Args:
        motion: rows of one experiment, as
            `hrta.study.experiments.kernel_motion.kernel_motion_table` makes them.
        methods: label of each method to show, in order.
        optimizers: label of each optimizer, a column of panels each.
    """
    end = motion[motion["step"] == motion["step"].max()]

    def draw(axis: Axes, quantity: str, optimizer: str) -> None:
        here = end[end["optimizer"] == optimizer]
        _lines(axis, here, "width", quantity, "method", methods.get, methods)
        _slope(axis, here, "width", quantity, -0.5, "slope −1/2")

    return _grid(MOTIONS, optimizers, "width m (neurons)", draw, ncols=4, sharey="row")


def motion_against_steps(
    motion: pd.DataFrame, methods: Labels, optimizers: Labels, width: int
) -> Figure:
    """The same at one width against the steps, across the switch."""
    at_width = motion[motion["width"] == width]
    switch = at_width.loc[at_width["stage"] == 1, "step"].max()

    def draw(axis: Axes, quantity: str, optimizer: str) -> None:
        here = at_width[at_width["optimizer"] == optimizer]
        for stage in sorted(here["stage"].unique()):
            part = here[here["stage"] == stage]
            _lines(axis, part, "step", quantity, "method", methods.get, methods, marker=None)
        axis.axvline(switch, color="0.4", linestyle=":", linewidth=0.8)
        axis.set_xscale("linear")

    titles = {name: f"{label}, m = {width}" for name, label in optimizers.items()}
    return _grid(MOTIONS, titles, "steps", draw, ncols=3, sharey="row")


def loss_and_bound(rates: pd.DataFrame, methods: Labels) -> Figure:
    """Measured loss, linearised prediction and bound against steps: medians over seeds.

    Args:
        rates: rows of one experiment, as `hrta.study.experiments.rates.rates_table` makes them.
        methods: label of each method to show, a column of panels each.
    """
    use_style()
    widths = sorted(rates["width"].dropna().unique())
    figure, axes = plt.subplots(
        len(widths),
        len(methods),
        figsize=(COLUMN_WIDTH, 0.75 + 1.3 * len(widths)),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for (width, method), panel, axis in panels(axes, widths, methods):
        here = rates[(rates["width"] == width) & (rates["method"] == method)]
        over_seeds = here.groupby("step")[["loss", "predicted", "bound"]].median()
        axis.plot(over_seeds["loss"], label="measured")
        axis.plot(over_seeds["predicted"], color="black", linestyle="--", label="linearised")
        axis.plot(over_seeds["bound"], color="0.5", linestyle=":", label="bound")
        log_scale(axis)
        title = f"m = {width:,}"
        axis.set_title(f"{methods[method]}\n{title}" if panel[0] == 0 else title)
        if panel[0] == len(widths) - 1:
            axis.set_xlabel("steps")
        if panel[1] == 0:
            axis.set_ylabel("training loss")
    legend(figure, axes, ncols=3)
    return figure


def _grid(
    quantities: Labels,
    columns: Labels,
    x_label: str,
    draw: Callable[[Axes, str, str], None],
    ncols: int,
    sharey: str | bool = False,
) -> Figure:
    """A row of panels for each of two quantities, a column for each label; `draw` fills a panel."""
    use_style()
    figure, axes = plt.subplots(
        len(quantities),
        len(columns),
        figsize=(COLUMN_WIDTH, 4.2),
        sharex=True,
        sharey=sharey,
        squeeze=False,
    )
    for (quantity, column), panel, axis in panels(axes, quantities, columns):
        draw(axis, quantity, column)
        if panel[0] == 0:
            axis.set_title(columns[column])
        else:
            axis.set_xlabel(x_label)
        if panel[1] == 0:
            axis.set_ylabel(quantities[quantity])
    legend(figure, axes, ncols=ncols)
    return figure


def _lines(
    axis: Axes,
    table: pd.DataFrame,
    x: str,
    y: str,
    by: str,
    label: object,
    order: Sequence | None = None,
    marker: str | None = "o",
) -> None:
    """Median of y over seeds against x, and the band from the lowest to the highest, for each."""
    order = sorted(table[by].unique()) if order is None else list(order)
    shades = sns.color_palette("viridis", len(order)) if by == "s" else colours(order)
    for value, colour in zip(order, shades, strict=True):
        groups = table[table[by] == value].replace({y: {0: np.nan}}).groupby(x)[y]
        over = groups.agg(["min", "median", "max"])
        line_and_band(axis, over, colour, label(value), marker=marker, markersize=3)
    axis.set(xscale="log", yscale="log")


def _slope(axis: Axes, table: pd.DataFrame, x: str, y: str, exponent: float, label: str) -> None:
    """A line of that slope through the middle of the data."""
    places = np.array(sorted(table[x].unique()), dtype=float)
    positive = table[table[y] > 0]
    middle = np.exp(
        np.log(positive[y]).mean() - exponent * np.log(positive[x].astype(float)).mean()
    )
    axis.plot(places, middle * places**exponent, color="0.4", linestyle=":", label=label)
