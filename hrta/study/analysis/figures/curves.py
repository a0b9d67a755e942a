"""How losses and errors of several methods are drawn against steps."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from hrta.study.analysis.comparison import quantiles_by_step
from hrta.study.analysis.figures.style import colours, line_and_band


def medians_and_quartiles(
    axis: Axes, runs: pd.DataFrame, quantity: str, kind: str, labels: Mapping[str, str]
) -> None:
    """A line and a band over seeds for each kind of run that there is.

    Args:
        axis: where to draw.
        runs: rows of step, the quantity and the kind.
        quantity: column to draw against the steps.
        kind: column that tells the lines apart.
        labels: label of each kind, in order.
    """
    for name, colour in zip(labels, colours(labels), strict=True):
        chosen = runs[runs[kind] == name]
        if len(chosen):
            over = quantiles_by_step(chosen, quantity, (0.25, 0.5, 0.75))
            line_and_band(axis, over, colour, labels[name])
