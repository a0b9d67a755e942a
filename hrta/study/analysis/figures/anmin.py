"""The figure of ANMIN: the minimised losses of its rounds, and the losses of the network."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from hrta.study.analysis.figures.panels import legend, line_and_band, log_scale
from hrta.study.analysis.figures.style import COLUMN_WIDTH, colours, use_style
from hrta.study.analysis.intervals import quantiles_by_step
from hrta.study.analysis.schema import Labels

LOSSES = {
    "loss": "the network's",
    "fixed_pattern_loss": "with the old pattern",
    "test_loss": "the network's, test points",
}


def losses_by_round(table: pd.DataFrame, problems: Labels) -> Figure:
    """Mean squared errors after every round: medians over seeds and quartile bands.

    Args:
        table: rows of `ANMIN`.
        problems: label of each problem, a panel each, three in a row.
    """
    use_style()
    rows = -(-len(problems) // 3)
    size = (COLUMN_WIDTH, 0.6 + 1.5 * rows)
    figure, axes = plt.subplots(rows, 3, figsize=size, sharex=True, squeeze=False)
    for axis in axes.flat[len(problems) :]:
        axis.set_axis_off()
    for number, (problem, axis) in enumerate(zip(problems, axes.flat, strict=False)):
        here = table[table["problem"] == problem].rename(columns={"round": "step"})
        for (loss, label), colour in zip(LOSSES.items(), colours(LOSSES), strict=True):
            if loss in here and here[loss].notna().any():
                over_seeds = quantiles_by_step(here, loss, (0.25, 0.5, 0.75))
                line_and_band(axis, over_seeds, colour, label)
        log_scale(axis)
        axis.set_title(problems[problem])
        if number + 3 >= len(problems):
            axis.tick_params(labelbottom=True)
            axis.set_xlabel("round")
        if number % 3 == 0:
            axis.set_ylabel("mean squared error")
    legend(figure, axes.flat, ncols=3)
    return figure
