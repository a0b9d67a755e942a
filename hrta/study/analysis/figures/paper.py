"""Every figure: a function takes tidy tables and returns a figure, `save` writes it.

Nothing here needs torch but the drawing of the activations themselves.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from hrta.study.analysis.comparison import median_interval
from hrta.study.analysis.figures.curves import medians_and_quartiles
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
    "activation_family",
    "eigenvalues_against_s",
    "loss_against_learning_rate",
    "loss_against_width",
    "loss_curves",
    "save",
    "whole_spectra",
]

Labels = Mapping[str, str]


def activation_family(s_values: Sequence[float], base: str = "relu") -> Figure:
    """sigma_s(z) and its slope for several s."""
    import torch

    from hrta.activations import homotopy

    use_style()
    figure, (left, right) = plt.subplots(1, 2, figsize=(COLUMN_WIDTH, 2.1))
    z = torch.linspace(-2, 2, 401, dtype=torch.float64, requires_grad=True)
    for s, colour in zip(s_values, sns.color_palette("viridis", len(s_values)), strict=True):
        value = homotopy(z, s, base)
        (slope,) = torch.autograd.grad(value.sum(), z)
        slope[z.abs() < 1e-9] = torch.nan  # the jump is no line
        left.plot(z.detach(), value.detach(), color=colour, label=f"s = {s:g}")
        right.plot(z.detach(), slope, color=colour)
    left.set(xlabel="pre-activation z", ylabel="σₛ(z)", title="activation")
    right.set(xlabel="pre-activation z", ylabel="dσₛ/dz", title="slope")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def loss_curves(
    results: pd.DataFrame, methods: Labels, optimizers: Labels, loss: str = "loss"
) -> Figure:
    """Loss against steps: median and interquartile band over seeds, the stage switches marked.

    Args:
        results: rows of one experiment at one learning rate, as
            `hrta.study.experiments.ensembles.train_ensemble` makes them.
        methods: label of each method to show, in order.
        optimizers: label of each optimizer, a column of panels each.
        loss: "loss" (training) or "test_loss".
    """
    use_style()
    widths = sorted(results["width"].unique())
    figure, axes = plt.subplots(
        len(widths),
        len(optimizers),
        figsize=(COLUMN_WIDTH, 0.75 + 1.45 * len(widths)),
        sharex=True,
        squeeze=False,
    )
    for (width, optimizer), panel, axis in panels(axes, widths, optimizers):
        runs = results[(results["width"] == width) & (results["optimizer"] == optimizer)]
        medians_and_quartiles(axis, runs, loss, "method", methods)
        for switch in _switches(runs):
            axis.axvline(switch, color="0.4", linestyle=":", linewidth=0.8)
        log_scale(axis)
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.margins(x=0.02)
        if panel[0] == 0:
            axis.set_title(f"{optimizers[optimizer]}\nwidth m = {width}")
        else:
            axis.set_title(f"width m = {width}")
        if panel[0] == len(widths) - 1:
            axis.set_xlabel("steps")
        if panel[1] == 0:
            axis.set_ylabel({"loss": "training loss", "test_loss": "test loss"}[loss])
    legend(figure, axes, ncols=3)
    return figure


def loss_against_width(
    final: pd.DataFrame, methods: Labels, optimizers: Labels, experiments: Labels
) -> Figure:
    """Final training loss against width: median over seeds and its 95 % bootstrap interval.

    Args:
        final: rows as `hrta.study.analysis.comparison.final_losses` makes them, at one learning
            rate.
        methods: label of each method to show, in order.
        optimizers: label of each optimizer, a row of panels each.
        experiments: label of each experiment, a column of panels each.
    """
    use_style()
    figure, axes = plt.subplots(
        len(optimizers),
        len(experiments),
        figsize=(COLUMN_WIDTH, 0.7 + 1.6 * len(optimizers)),
        sharex=True,
        squeeze=False,
    )
    for (optimizer, experiment), panel, axis in panels(axes, optimizers, experiments):
        here = final[(final["optimizer"] == optimizer) & (final["experiment"] == experiment)]
        _medians_against(axis, here, "width", methods, sorted(final["width"].unique()))
        if panel[0] == 0:
            axis.set_title(experiments[experiment])
        if panel[0] == len(optimizers) - 1:
            axis.set_xlabel("width (neurons)")
        if panel[1] == 0:
            axis.set_ylabel(f"{optimizers[optimizer]}:\nfinal training loss")
    legend(figure, axes, ncols=3)
    return figure


def loss_against_learning_rate(final: pd.DataFrame, methods: Labels, optimizers: Labels) -> Figure:
    """Final training loss against the learning rate at the first step, as `loss_against_width`.

    Args:
        final: rows of one experiment, as `hrta.study.analysis.comparison.final_losses` makes them.
        methods: label of each method to show, in order.
        optimizers: label of each optimizer, a column of panels each; a row for each width.
    """
    use_style()
    widths = sorted(final["width"].unique())
    figure, axes = plt.subplots(
        len(widths),
        len(optimizers),
        figsize=(COLUMN_WIDTH, 0.75 + 1.45 * len(widths)),
        sharex="col",
        squeeze=False,
    )
    for (width, optimizer), panel, axis in panels(axes, widths, optimizers):
        column = final[final["optimizer"] == optimizer]
        rates = sorted(column["learning_rate"].unique())
        here = column[column["width"] == width]
        _medians_against(axis, here, "learning_rate", methods, rates)
        title = f"width m = {width}"
        axis.set_title(f"{optimizers[optimizer]}\n{title}" if panel[0] == 0 else title)
        if panel[0] == len(widths) - 1:
            axis.set_xlabel("learning rate at the first step")
        if panel[1] == 0:
            axis.set_ylabel("final training loss")
    legend(figure, axes, ncols=3)
    return figure


def _medians_against(
    axis: Axes, final: pd.DataFrame, column: str, methods: Labels, ticks: Sequence[float]
) -> None:
    """Median final loss and its interval against a column, both logarithmic, for each method.

    The methods' points are set apart a little, so that the intervals can be told apart.
    """
    spread = np.linspace(-1, 1, len(methods)) if len(methods) > 1 else [0]
    closest = min((b / a for a, b in pairwise(ticks)), default=2)
    for method, colour, shift in zip(methods, colours(methods), spread, strict=True):
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


def eigenvalues_against_s(spectra: pd.DataFrame, experiments: Labels) -> Figure:
    """Smallest and largest eigenvalue of the Gram matrix against s, at infinite and finite width.

    Finite width: median over initialisations and the band from the lowest to the highest. Widths
    whose smallest eigenvalue is 0 in the median, whatever s, are named in the panel.

    Args:
        spectra: rows as `hrta ntk` writes them.
        experiments: label of each experiment, a column of panels each.
    """
    use_style()
    figure, axes = plt.subplots(
        2, len(experiments), figsize=(COLUMN_WIDTH, 3.9), sharex=True, squeeze=False
    )
    extremes = {"smallest": "min", "largest": "max"}
    for (extreme, experiment), panel, axis in panels(axes, extremes, experiments):
        here = spectra[spectra["experiment"] == experiment]
        runs = here.groupby(["kernel", "width", "seed", "s"], observed=True, dropna=False)
        values = runs["eigenvalue"].agg(extremes[extreme]).reset_index()
        _finite_widths(axis, values[values["kernel"] == "finite"])
        limit = values[values["kernel"] == "infinite"].replace({"eigenvalue": {0: np.nan}})
        axis.plot(limit["s"], limit["eigenvalue"], color="black", linestyle="--", label="m = ∞")
        axis.set_xticks([0, 1, 2])
        if panel[0] == 0:
            axis.set_title(experiments[experiment])
            log_scale(axis)
        else:
            axis.set_xlabel("parameter s")
        if panel[1] == 0:
            axis.set_ylabel(f"{extreme} eigenvalue of Kₛ")
    legend(figure, axes, ncols=4)
    return figure


def _finite_widths(axis: Axes, values: pd.DataFrame) -> None:
    """A line and a band for each width whose median eigenvalue is not 0; the others by name."""
    widths = sorted(values["width"].astype(int).unique())
    singular = []
    for width, colour in zip(widths, colours(widths), strict=True):
        by_s = values[values["width"] == width].groupby("s")["eigenvalue"]
        if not by_s.median().any():
            singular.append(str(width))
            continue
        over_seeds = by_s.agg(["min", "median", "max"]).replace(0, np.nan)
        line_and_band(axis, over_seeds, colour, f"m = {width}")
    if singular:
        text = "0 for m =\n" + ", ".join(singular)
        axis.text(0.96, 0.05, text, transform=axis.transAxes, ha="right", fontsize=7)


def whole_spectra(
    spectra: pd.DataFrame, experiments: Labels, s_values: Sequence[float] = (0, 0.5, 1, 1.5, 2)
) -> Figure:
    """All eigenvalues of the infinite-width Gram matrix, in order of size, for several s.

    Args:
        spectra: rows as `hrta ntk` writes them.
        experiments: label of each experiment, a panel each.
        s_values: which s to show, of those that are there.
    """
    use_style()
    figure, axes = plt.subplots(
        1, len(experiments), figsize=(COLUMN_WIDTH, 2.4), sharey=True, squeeze=False
    )
    infinite = spectra[(spectra["kernel"] == "infinite") & (spectra["eigenvalue"] > 0)]
    for (_, experiment), panel, axis in panels(axes, [None], experiments):
        here = infinite[infinite["experiment"] == experiment]
        shades = sns.color_palette("viridis", len(s_values))
        for s, colour in zip(s_values, shades, strict=True):
            chosen = here[np.isclose(here["s"], s)].sort_values("eigenvalue", ascending=False)
            rank = np.arange(1, len(chosen) + 1)
            marker = "." if len(chosen) < 10 else None
            axis.plot(rank, chosen["eigenvalue"], marker=marker, color=colour, label=f"s = {s:g}")
        axis.set(xscale="log", yscale="log", xlabel="rank", title=experiments[experiment])
        if panel[1] == 0:
            axis.set_ylabel("eigenvalue of Kₛ, m = ∞")
    legend(figure, axes, ncols=5)
    return figure


def _switches(runs: pd.DataFrame) -> list[int]:
    """The steps at which a stage after the first begins."""
    return runs.groupby("stage")["step"].min().iloc[1:].tolist()
