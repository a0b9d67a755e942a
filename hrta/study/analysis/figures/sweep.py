"""The figure of a sweep."""

from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from hrta.study.analysis.figures.panels import panel_figure
from hrta.study.analysis.schema import Labels


def loss_over_grid(
    final: pd.DataFrame, methods: Labels, optimizers: Labels, experiments: Labels
) -> Figure:
    """Median final training loss over method and learning rate, a panel for each width.

    A row of panels, with one colour scale, for each experiment and optimizer. A cross marks the
    lowest loss of a panel; diverged medians are grey.

    Args:
        final: rows of `hrta.study.analysis.final.final_losses`.
        methods, optimizers, experiments: label of each; the first method is at the bottom.
    """
    cells = ["experiment", "optimizer", "width", "method", "learning_rate"]
    medians = final.groupby(cells, observed=True)["loss"].median()
    images = {}

    def draw(axis: Axes, row: tuple[str, str], width: int) -> None:
        table = medians.loc[row].unstack("learning_rate")
        finite = table.to_numpy()[np.isfinite(table.to_numpy())]
        scale = LogNorm(finite.min(), finite.max()) if len(finite) else None
        here = table.loc[width].reindex(list(methods))
        shown = np.ma.masked_invalid(here.to_numpy())
        axis.set_facecolor("0.7")
        images[row] = axis.imshow(shown, norm=scale, cmap="viridis", aspect="auto", origin="lower")
        if shown.count():
            best = np.unravel_index(shown.argmin(), shown.shape)
            axis.plot(best[1], best[0], "x", color="white", markersize=4)
        axis.grid(visible=False)
        axis.set_xticks(range(here.shape[1]), [f"{rate:g}" for rate in here.columns], rotation=90)
        axis.set_yticks(range(len(methods)), list(methods.values()))
        axis.tick_params(labelsize=5.5, length=2)
        axis.yaxis.label.set_fontsize(7)

    rows = [row for row in product(experiments, optimizers) if row in medians.index]
    widths = sorted(final["width"].unique())
    y_labels = {row: f"{experiments[row[0]]}\n{optimizers[row[1]]}" for row in rows}
    titles = {width: f"m = {width}" for width in widths}
    height = 0.4 + (0.5 + 0.13 * len(methods)) * len(rows)
    figure = panel_figure(y_labels, titles, draw, height, sharex="row", sharey=True)
    panels = np.reshape(figure.axes, (len(rows), len(widths)))
    for row, axes in zip(rows, panels.tolist(), strict=True):
        figure.colorbar(images[row], ax=axes, pad=0.01, aspect=15)
    figure.supxlabel("learning rate at the first step", fontsize=8)
    return figure
