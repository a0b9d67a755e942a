"""The figure about ANMIN: what its rounds minimise, and what the network makes of it."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from hrta.study.analysis.comparison import quantiles_by_step
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

__all__ = ["losses_by_round", "save"]

LOSSES = {
    "loss": "the network's",
    "fixed_pattern_loss": "with the old pattern",
    "test_loss": "the network's, test points",
}


def losses_by_round(table: pd.DataFrame, problems: Mapping[str, str]) -> Figure:
    """Mean squared errors after every round: medians over seeds and quartile bands.

    Args:
        table: rows as `hrta.anmin.anmin_table` makes them.
        problems: label of each problem, a panel each, three in a row.
    """
    use_style()
    rows = -(-len(problems) // 3)
    size = (COLUMN_WIDTH, 0.6 + 1.5 * rows)
    figure, axes = plt.subplots(rows, 3, figsize=size, sharex=True, squeeze=False)
    names = [*problems, *[None] * (3 * rows - len(problems))]
    for (row, column), _, axis in panels(axes, range(rows), range(3)):
        problem = names[3 * row + column]
        if problem is None:
            axis.set_axis_off()
            continue
        here = table[table["problem"] == problem].rename(columns={"round": "step"})
        for (loss, label), colour in zip(LOSSES.items(), colours(LOSSES), strict=True):
            if loss in here and here[loss].notna().any():
                over_seeds = quantiles_by_step(here, loss, (0.25, 0.5, 0.75))
                line_and_band(axis, over_seeds, colour, label)
        log_scale(axis)
        axis.set_title(problems[problem])
        if 3 * (row + 1) + column >= len(problems):
            axis.tick_params(labelbottom=True)
            axis.set_xlabel("round")
        if column == 0:
            axis.set_ylabel("mean squared error")
    legend(figure, axes, ncols=3)
    return figure
