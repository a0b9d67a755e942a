"""The figure of what happens to the loss at a switch."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from hrta.study.analysis.figures.curves import medians_and_quartiles
from hrta.study.analysis.figures.style import (
    COLUMN_WIDTH,
    legend,
    log_scale,
    panels,
    save,
    use_style,
)

__all__ = ["curves_of_paths", "save"]

Labels = Mapping[str, str]


def curves_of_paths(runs: pd.DataFrame, paths: Labels, row: str, problems: Labels) -> Figure:
    """Training loss against steps, each under the activation of the moment: medians and quartiles.

    Args:
        runs: rows as `hrta.study.analysis.race_results.ends` takes them, of one width, `with_parts`
            of which one is called path.
        paths: the values of that part to show, in order, and the label of each.
        row: the part that has a row of panels for each of its values.
        problems: label of each problem, a column of panels each.
    """
    use_style()
    rows = runs[row].cat.remove_unused_categories().cat.categories
    figure, axes = plt.subplots(
        len(rows),
        len(problems),
        figsize=(COLUMN_WIDTH, 0.8 + 1.5 * len(rows)),
        sharex=True,
        squeeze=False,
    )
    for (value, problem), panel, axis in panels(axes, rows, problems):
        here = runs[(runs[row] == value) & (runs["problem"] == problem)]
        medians_and_quartiles(axis, here, "loss", "path", paths)
        log_scale(axis)
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        if panel[0] == 0:
            axis.set_title(problems[problem])
        if panel[0] == len(rows) - 1:
            axis.set_xlabel("steps")
        if panel[1] == 0:
            axis.set_ylabel(f"{value}\ntraining loss")
    legend(figure, axes, ncols=2)
    return figure
