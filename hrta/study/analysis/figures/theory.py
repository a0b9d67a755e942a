"""The figures of the tangent-kernel theory."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hrta.study.analysis.figures.panels import (
    DOTTED,
    log_scale,
    medians_and_extremes,
    panel_figure,
    slope_line,
)
from hrta.study.analysis.figures.style import colours, shades
from hrta.study.analysis.schema import Labels

HEIGHT = 4.2  # inches, of two rows of panels
MOTIONS = {
    "kernel_change": "‖Kₛ(t) − Kₛ(0)‖ / ‖Kₛ(0)‖",
    "inner_travel": "largest travel of\nan inner weight vector",
}


def conditioning_against_s(conditioning: pd.DataFrame, experiments: Labels) -> Figure:
    """Agreement of lambda_min with s^2, the condition number, and the gain of relaxation.

    From rows of `hrta.study.analysis.theory.conditioning`; a column of panels for each experiment.
    """

    def draw(axis: Axes, quantity: str, experiment: str) -> None:
        here = conditioning[(conditioning["experiment"] == experiment) & (conditioning["s"] > 0)]
        s = here["s"]
        if quantity == "gain":
            axis.plot(s, here["gain"], label="λₘᵢₙ(s)/λₘᵢₙ(1)")
            axis.plot(s, here["honest_gain"], label="the same at the stability limit of each s")
            axis.plot(s, s**2, "k.", markersize=2, label="s²")
        else:
            axis.plot(s, here[quantity].where(np.isfinite(here[quantity])), color="black")
        if quantity == "condition":
            axis.set_yscale("log")
        axis.set_xticks([0, 1, 2])

    quantities = {
        "digits": "digits of agreement\nof λₘᵢₙ with s²",
        "condition": "condition number\nλₘₐₓ/λₘᵢₙ",
        "gain": "rate of the slowest\nmode, against s = 1",
    }
    return panel_figure(quantities, experiments, draw, 5.4, "parameter s", sharey="row")


def kernel_error_against_width(width_limit: pd.DataFrame, experiments: Labels) -> Figure:
    """Errors of the kernel of finite networks, and of its lambda_min, against infinite width.

    From rows of `WIDTH_LIMIT`; a column of panels for each experiment.
    """

    def draw(axis: Axes, error: str, experiment: str) -> None:
        here = width_limit[width_limit["experiment"] == experiment]
        _lines(axis, here, "width", error, "s", _labels_of_s(here))
        slope_line(axis, here["width"], here[error])

    errors = {"kernel_error": "‖Kₘ − K‖ / ‖K‖", "smallest_error": "relative error of λₘᵢₙ"}
    return panel_figure(errors, experiments, draw, HEIGHT, "width m (neurons)", legend_columns=5)


def extremes_against_points(sample_number: pd.DataFrame, experiments: Labels) -> Figure:
    """Smallest and largest eigenvalue at infinite width against the number of points.

    From rows of `SAMPLE_NUMBER`; a column of panels for each experiment.
    """

    def draw(axis: Axes, extreme: str, experiment: str) -> None:
        here = sample_number[sample_number["experiment"] == experiment]
        _lines(axis, here, "points", extreme, "s", _labels_of_s(here))

    extremes = {"smallest": "smallest eigenvalue of Kₛ", "largest": "largest eigenvalue of Kₛ"}
    return panel_figure(extremes, experiments, draw, HEIGHT, "points n", legend_columns=5)


def motion_against_width(motion: pd.DataFrame, methods: Labels, optimizers: Labels) -> Figure:
    """The motion of the kernel and the weights at the end of training, against width.

    Args:
        motion: rows of `MOTION`, of one experiment.
        methods: label of each method to show, in order.
        optimizers: label of each optimizer, a column of panels each.
    """
    end = motion[motion["step"] == motion["step"].max()]

    def draw(axis: Axes, quantity: str, optimizer: str) -> None:
        here = end[end["optimizer"] == optimizer]
        _lines(axis, here, "width", quantity, "method", methods)
        slope_line(axis, here["width"], here[quantity])

    return panel_figure(
        MOTIONS, optimizers, draw, HEIGHT, "width m (neurons)", legend_columns=4, sharey="row"
    )


def motion_against_steps(
    motion: pd.DataFrame, methods: Labels, optimizers: Labels, width: int
) -> Figure:
    """The motion at one width against steps, before and after the switch of s."""
    at_width = motion[motion["width"] == width]
    switch = at_width.loc[at_width["stage"] == 1, "step"].max()

    def draw(axis: Axes, quantity: str, optimizer: str) -> None:
        here = at_width[at_width["optimizer"] == optimizer]
        for stage in sorted(here["stage"].unique()):
            part = here[here["stage"] == stage]
            _lines(axis, part, "step", quantity, "method", methods, marker=None)
        axis.axvline(switch, **DOTTED, linewidth=0.8)
        axis.set_xscale("linear")

    titles = {name: f"{label}, m = {width}" for name, label in optimizers.items()}
    return panel_figure(MOTIONS, titles, draw, HEIGHT, "steps", sharey="row")


def loss_and_bound(rates: pd.DataFrame, methods: Labels) -> Figure:
    """Measured loss, linearised prediction and bound against steps: medians over seeds.

    From rows of `RATES`, of one experiment; panels by width and method.
    """

    def draw(axis: Axes, width: int, method: str) -> None:
        here = rates[(rates["width"] == width) & (rates["method"] == method)]
        over_seeds = here.groupby("step")[["loss", "predicted", "bound"]].median()
        axis.plot(over_seeds["loss"], label="measured")
        axis.plot(over_seeds["predicted"], color="black", linestyle="--", label="linearised")
        axis.plot(over_seeds["bound"], color="0.5", linestyle=":", label="bound")
        log_scale(axis)

    widths = {width: f"m = {width:,}" for width in sorted(rates["width"].dropna().unique())}
    rows, height = dict.fromkeys(widths, "training loss"), 0.75 + 1.3 * len(widths)
    return panel_figure(rows, methods, draw, height, "steps", row_titles=widths, sharey=True)


def _labels_of_s(table: pd.DataFrame) -> dict[float, str]:
    return {s: f"s = {s:g}" for s in sorted(table["s"].unique())}


def _lines(
    axis: Axes,
    table: pd.DataFrame,
    x: str,
    y: str,
    by: str,
    labels: Mapping[Any, str],
    marker: str | None = "o",
) -> None:
    """Median of y over seeds against x as a line, and the range as a band.

    A line for each labelled value of the column `by`; values of 0 are left out.
    """
    chosen = shades(len(labels)) if by == "s" else colours(labels)
    for (value, label), colour in zip(labels.items(), chosen, strict=True):
        groups = table[table[by] == value].replace({y: {0: np.nan}}).groupby(x)[y]
        medians_and_extremes(axis, groups, colour, label, marker)
    axis.set(xscale="log", yscale="log")
