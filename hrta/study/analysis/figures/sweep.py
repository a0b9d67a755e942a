"""The figure of a sweep: a function takes a tidy table, returns a figure."""

from collections.abc import Mapping
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from hrta.study.analysis.figures.style import COLUMN_WIDTH, panels, save, use_style

__all__ = ["loss_over_grid", "save"]

Labels = Mapping[str, str]


def loss_over_grid(
    final: pd.DataFrame, methods: Labels, optimizers: Labels, experiments: Labels
) -> Figure:
    """Median final training loss over method and learning rate, a panel for each width.

    A row of panels, with one scale of colours, for each experiment and optimizer. A cross marks
    the lowest loss of a panel; what diverged is grey.

    Args:
        final: rows as `hrta.study.analysis.comparison.final_losses` makes them.
        methods: label of each method, from below.
        optimizers: label of each optimizer.
        experiments: label of each experiment.
    """
    use_style()
    cells = ["experiment", "optimizer", "width", "method", "learning_rate"]
    medians = final.groupby(cells, observed=True)["loss"].median()
    rows = [row for row in product(experiments, optimizers) if row in medians.index]
    widths = sorted(final["width"].unique())
    size = (COLUMN_WIDTH, 0.4 + (0.5 + 0.13 * len(methods)) * len(rows))
    figure, axes = plt.subplots(
        len(rows), len(widths), figsize=size, sharey=True, sharex="row", squeeze=False
    )
    for (row, width), (i, j), axis in panels(axes, rows, widths):
        table = medians.loc[row].unstack("learning_rate")
        finite = table.to_numpy()[np.isfinite(table.to_numpy())]
        scale = LogNorm(finite.min(), finite.max()) if len(finite) else None
        here = table.loc[width].reindex(list(methods))
        shown = np.ma.masked_invalid(here.to_numpy())
        axis.set_facecolor("0.7")
        image = axis.imshow(shown, norm=scale, cmap="viridis", aspect="auto", origin="lower")
        if shown.count():
            best = np.unravel_index(shown.argmin(), shown.shape)
            axis.plot(best[1], best[0], "x", color="white", markersize=4)
        axis.grid(visible=False)
        axis.set_xticks(range(here.shape[1]), [f"{rate:g}" for rate in here.columns], rotation=90)
        axis.set_yticks(range(len(methods)), list(methods.values()))
        axis.tick_params(labelsize=5.5, length=2)
        if i == 0:
            axis.set_title(f"m = {width}")
        if j == 0:
            axis.set_ylabel(f"{experiments[row[0]]}\n{optimizers[row[1]]}", fontsize=7)
        if j == len(widths) - 1:
            figure.colorbar(image, ax=axes[i].tolist(), pad=0.01, aspect=15)
    figure.supxlabel("learning rate at the first step", fontsize=8)
    return figure
