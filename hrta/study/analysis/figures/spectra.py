"""The figures of the tangent kernel's eigenvalues, from rows of `SPECTRA`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hrta.study.analysis.figures.panels import line_and_band, log_scale, panel_figure
from hrta.study.analysis.figures.style import colours, shades
from hrta.study.analysis.schema import Labels


def eigenvalues_against_s(spectra: pd.DataFrame, experiments: Labels) -> Figure:
    """Smallest and largest eigenvalue of the Gram matrix against s, at infinite and finite width.

    Finite width: median over initialisations, and the range as a band. Widths whose median smallest
    eigenvalue is 0 for all s are listed in the panel. A column of panels for each experiment.
    """

    def draw(axis: Axes, extreme: str, experiment: str) -> None:
        here = spectra[spectra["experiment"] == experiment]
        runs = here.groupby(["kernel", "width", "seed", "s"], observed=True, dropna=False)
        values = runs["eigenvalue"].agg(extreme).reset_index()
        _finite_widths(axis, values[values["kernel"] == "finite"])
        limit = values[values["kernel"] == "infinite"].replace({"eigenvalue": {0: np.nan}})
        axis.plot(limit["s"], limit["eigenvalue"], color="black", linestyle="--", label="m = ∞")
        axis.set_xticks([0, 1, 2])
        if extreme == "min":
            log_scale(axis)

    rows = {"min": "smallest eigenvalue of Kₛ", "max": "largest eigenvalue of Kₛ"}
    return panel_figure(rows, experiments, draw, 3.9, "parameter s", legend_columns=4)


def _finite_widths(axis: Axes, values: pd.DataFrame) -> None:
    """A line and a band for each width whose median eigenvalue is not 0; the others as text."""
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
    """All eigenvalues of the infinite-width Gram matrix, in order of size, for these s.

    A panel for each experiment.
    """
    infinite = spectra[(spectra["kernel"] == "infinite") & (spectra["eigenvalue"] > 0)]

    def draw(axis: Axes, _: str, experiment: str) -> None:
        here = infinite[infinite["experiment"] == experiment]
        for s, colour in zip(s_values, shades(len(s_values)), strict=True):
            chosen = here[np.isclose(here["s"], s)].sort_values("eigenvalue", ascending=False)
            rank = np.arange(1, len(chosen) + 1)
            marker = "." if len(chosen) < 10 else None
            axis.plot(rank, chosen["eigenvalue"], marker=marker, color=colour, label=f"s = {s:g}")
        axis.set(xscale="log", yscale="log")

    rows = {"all": "eigenvalue of Kₛ, m = ∞"}
    return panel_figure(rows, experiments, draw, 2.4, "rank", 5, sharex=False, sharey=True)
