"""The figures of the Poisson problem: solutions, their errors, and the errors during training."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hrta.study.analysis.figures.panels import legend, log_scale, median_curves, panel_figure
from hrta.study.analysis.figures.style import COLUMN_WIDTH, use_style
from hrta.study.analysis.poisson import with_gaps
from hrta.study.analysis.schema import Labels

QUANTITIES = {
    "gap": "energy gap\nE(φ) − E(u)",
    "l2_error": "relative L² error",
    "h1_error": "relative H¹ error",
}
LOSS = "loss Eₙ(φ) − Eₙ(u)"
# The loss can be below that of the exact solution; its axis is linear within this range.
LINEAR = 0.01


def solutions_and_curves(solutions: pd.DataFrame, runs: pd.DataFrame, methods: Labels) -> Figure:
    """The exact and the trained solutions with their errors, and the loss and error curves.

    The percentages are root mean squares of the errors over that of the exact solution, on the
    points of the maps. The loss is the energy by the quadrature of training minus that of the exact
    solution: median and quartiles over seeds; dotted: stage switches.

    Args:
        solutions: rows of `POISSON_SOLUTIONS`, of one experiment with one learning rate for each
            method.
        runs: rows of `POISSON`, likewise.
        methods: label of each method to show, in order.
    """
    use_style()
    figure = plt.figure(figsize=(COLUMN_WIDTH, 4.1))
    above, below = figure.subfigures(2, 1, height_ratios=(1.15, 1))
    _maps(above, solutions, methods)
    axes = left, right = below.subplots(1, 2)
    _curves(left, with_gaps(runs), "loss_gap", methods)
    left.axhline(0, color="black", linewidth=0.6)
    left.set_yscale("symlog", linthresh=LINEAR, linscale=0.5)
    left.set(xlabel="steps", ylabel=LOSS)
    _curves(right, runs, "l2_error", methods)
    log_scale(right)
    right.set(xlabel="steps", ylabel=QUANTITIES["l2_error"])
    legend(below, axes, ncols=4)
    return figure


def _maps(figure: Figure, solutions: pd.DataFrame, methods: Labels) -> None:
    """A column for the exact solution and one for each method: solutions above, errors below."""
    axes = figure.subplots(2, 1 + len(methods))
    found = {method: _as_map(solutions, method, "prediction") for method in methods}
    exact = _as_map(solutions, next(iter(methods)), "exact")
    errors = {method: values - exact for method, values in found.items()}
    highest = max(np.abs(error).max() for error in errors.values())
    shown = {"vmin": exact.min(), "vmax": exact.max(), "cmap": "viridis"}
    shown_errors = {"vmin": -highest, "vmax": highest, "cmap": "RdBu_r"}
    solution = _draw(axes[0, 0], exact, **shown)
    axes[0, 0].set_title("exact", fontsize=7)
    axes[1, 0].set_axis_off()
    for column, method in zip(axes[:, 1:].T, methods, strict=True):
        _draw(column[0], found[method], **shown)
        column[0].set_title(fill(methods[method], 12), fontsize=7)
        error = _draw(column[1], errors[method], **shown_errors)
        part = np.sqrt(np.mean(errors[method] ** 2) / np.mean(exact**2))
        column[1].set_xlabel(f"{100 * part:.2g} %", fontsize=7)
    for row, image, label in ((axes[0], solution, "u, φ"), (axes[1], error, "φ − u")):
        figure.colorbar(image, ax=row, label=label, aspect=12, pad=0.02)


def _as_map(solutions: pd.DataFrame, method: str, column: str) -> np.ndarray:
    """A column of the method's rows as [x2, x1]."""
    rows = solutions[solutions["method"] == method]
    return rows.pivot(index="x2", columns="x1", values=column).to_numpy()


def _draw(axis: Axes, values: np.ndarray, **scale: object) -> object:
    image = axis.imshow(values, origin="lower", extent=(0, 1, 0, 1), **scale)
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    return image


def error_curves(runs: pd.DataFrame, methods: Labels, experiments: Labels) -> Figure:
    """Energy gap and errors against steps: medians and quartiles over seeds; dotted: switches.

    Args:
        runs: rows of `POISSON` with one learning rate for each experiment and method.
        methods: label of each method to show, in order.
        experiments: label of each experiment, a column of panels each.
    """
    runs = with_gaps(runs)

    def draw(axis: Axes, quantity: str, experiment: str) -> None:
        _curves(axis, runs[runs["experiment"] == experiment], quantity, methods)
        log_scale(axis)

    height = 0.7 + 1.45 * len(QUANTITIES)
    return panel_figure(QUANTITIES, experiments, draw, height, "steps", 4, sharex="col")


def _curves(axis: Axes, runs: pd.DataFrame, quantity: str, methods: Labels) -> None:
    median_curves(axis, runs, quantity, "method", methods, switches=True)
    axis.locator_params(axis="x", nbins=3)
    axis.margins(x=0.02)
