"""The figures of the race of many methods: a function takes a tidy table, returns a figure."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hrta.study.analysis.figures.style import (
    COLUMN_WIDTH,
    legend,
    line_styles,
    log_scale,
    panels,
    save,
    use_style,
)
from hrta.study.analysis.leaderboard import LIMITS

__all__ = ["profiles", "race_curves", "save", "sensitivity"]

Labels = Mapping[str, str]
CLOCKS = {"evaluations": "gradient evaluations", "seconds": "seconds"}
LEGEND_COLUMNS = 3
LEGEND_LINE = 0.16  # inches
BEYOND = 2  # times the top of the axes: a line to there leaves the panel


def race_curves(
    runs: pd.DataFrame,
    methods: Labels,
    widths: Sequence[int] | None = None,
    families: Labels | None = None,
) -> Figure:
    """Training loss against what it cost: medians over seeds, a dot where a method stops.

    At each logged step the median loss stands over the median of the clock; a run that ended
    early counts with its last state. What lies above ten times the highest start is cut off.

    Args:
        runs: rows of one problem, as `hrta.study.analysis.race_results.ends` takes them.
        methods: label of each method to show, in order.
        widths: a row of panels each; all that there are, if not given.
        families: for a method that shares its colour with another, which.

    Raises:
        ValueError: the rows are of more than one problem.
    """
    if runs["problem"].nunique() > 1:
        raise ValueError("race_curves: the runs are of more than one problem")
    widths = sorted(runs["width"].unique()) if widths is None else widths
    styles = _styles(methods, runs, families)
    starts = runs.loc[runs["step"] == runs["step"].min(), "loss"]
    finite = starts[np.isfinite(starts)]
    top = 10 * finite.max() if len(finite) else LIMITS[1]
    figure, axes = _grid(len(widths), len(CLOCKS), 1.6, len(styles), sharex="col", sharey="row")
    for (width, clock), panel, axis in panels(axes, widths, CLOCKS):
        here = runs[runs["width"] == width]
        for method, style in styles.items():
            curve = _median_curve(here[here["method"] == method], clock)
            curve = _on_log_axes(curve, top)
            axis.plot(curve, **style)
            axis.plot(curve.tail(1), ".", color=style["color"])
        axis.set_title(f"width m = {width}")
        if panel[0] == len(widths) - 1:
            axis.set_xlabel(CLOCKS[clock])
        if panel[1] == 0:
            axis.set_ylabel("training loss")
    _log_axes(axes, top)
    legend(figure, axes, ncols=LEGEND_COLUMNS)
    return figure


def profiles(
    profiles_by_clock: Mapping[str, pd.DataFrame], methods: Labels, families: Labels | None = None
) -> Figure:
    """Performance profiles: on which share of the pairs a method is within a factor of the fastest.

    Args:
        profiles_by_clock: rows as `hrta.study.analysis.race_statistics.performance_profiles` makes
            them, by the label of the clock, a row of panels each; a column of panels for each
            target.
        methods: label of each method to show, in order.
        families: as for `race_curves`.
    """
    targets = sorted(set().union(*(table["target"] for table in profiles_by_clock.values())))
    targets = targets[::-1]  # the easiest first
    rows = len(profiles_by_clock)
    styles = _styles(methods, pd.concat(profiles_by_clock.values()), families)
    figure, axes = _grid(rows, len(targets), 2.0, len(styles), sharex="row", sharey=True)
    for (clock, target), panel, axis in panels(axes, profiles_by_clock, targets):
        table = profiles_by_clock[clock]
        end = max(1.15 * table["ratio"].max(), 2)
        here = table[table["target"] == target]
        pairs = int(here["pairs"].max()) if len(here) else 0
        for method, style in styles.items():
            steps = here[here["method"] == method]
            steps = pd.concat([steps, steps.tail(1).assign(ratio=end)])
            axis.step(steps["ratio"], steps["share"], where="post", **style)
        if pairs == 0:
            text = "no method\ngets there"
            axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center")
        axis.set(xscale="log", xlim=(1, end), ylim=(-0.02, 1.02))
        axis.set_title(f"loss ≤ {target:g}\n{pairs} {'pair' if pairs == 1 else 'pairs'}")
        if panel[0] == rows - 1:
            axis.set_xlabel("ratio to fastest")
        if panel[1] == 0:
            axis.set_ylabel(f"{clock}:\nshare of pairs")
    legend(figure, axes, ncols=LEGEND_COLUMNS)
    return figure


def sensitivity(
    table: pd.DataFrame, methods: Labels, problems: Labels, families: Labels | None = None
) -> Figure:
    """Final training loss against the learning rate, at the best of the other parameters.

    What lies above the upper one of `hrta.study.analysis.leaderboard.LIMITS` is cut off.

    Args:
        table: rows as `hrta.study.analysis.race_statistics.sensitivity` makes them.
        methods: label of each method to show, in order; those without a learning rate are not.
        problems: label of each problem, a row of panels each if it is there; a column for each
            width.
        families: as for `race_curves`.
    """
    problems = {name: label for name, label in problems.items() if (table["problem"] == name).any()}
    table = table[table["problem"].isin(list(problems))]
    styles = _styles(methods, table, families)
    widths = sorted(table["width"].unique())
    figure, axes = _grid(len(problems), len(widths), 1.3, len(styles), sharex=True, sharey="row")
    for (problem, width), _, axis in panels(axes, problems, widths):
        here = table[(table["problem"] == problem) & (table["width"] == width)]
        axis.set_visible(len(here) > 0)
        for method, style in styles.items():
            line = here[here["method"] == method].set_index("learning_rate")["loss"].sort_index()
            axis.plot(_on_log_axes(line, LIMITS[1]), marker=".", markersize=4, **style)
        axis.set_title(f"m = {width}")
    _log_axes(axes, LIMITS[1])
    for shown in ([axis for axis in column if axis.get_visible()] for column in axes.T):
        shown[-1].tick_params(labelbottom=True)
        shown[-1].set_xlabel("learning rate")
    for problem, row in zip(problems, axes, strict=True):
        shown = [axis for axis in row if axis.get_visible()]
        shown[0].tick_params(labelleft=True)
        shown[0].set_ylabel(problems[problem])
    figure.supylabel("final training loss", fontsize="medium")
    legend(figure, axes, ncols=LEGEND_COLUMNS)
    return figure


def _styles(methods: Labels, table: pd.DataFrame, families: Labels | None) -> dict[str, dict]:
    """Label, colour and dashes of each method in the table, the same whichever others are there."""
    there = set(table["method"].unique())
    styles = zip(methods, line_styles([*methods], families), strict=True)
    return {name: style | {"label": methods[name]} for name, style in styles if name in there}


def _grid(
    rows: int, columns: int, height: float, entries: int, **sharing: bool | str
) -> tuple[Figure, np.ndarray]:
    """Panels of that height in inches, and room below for a legend of so many entries."""
    use_style()
    below = 0.4 + LEGEND_LINE * -(-entries // LEGEND_COLUMNS)
    size = (COLUMN_WIDTH, below + height * rows)
    return plt.subplots(rows, columns, figsize=size, squeeze=False, **sharing)


def _median_curve(runs: pd.DataFrame, clock: str) -> pd.Series:
    """Median loss over seeds by the median of the clock, at each step that any seed logged."""
    runs = runs.fillna({"loss": np.inf}).set_index(["step", "seed"])
    # A run that ended early stays as it was.
    medians = [runs[name].unstack().ffill().median(axis=1) for name in (clock, "loss")]
    return pd.Series(medians[1].to_numpy(), index=medians[0].to_numpy())


def _on_log_axes(line: pd.Series, top: float) -> pd.Series:
    """The points that logarithmic axes can show; what is above `top`, or infinite, just beyond."""
    return line[(line.index > 0) & (line > 0)].clip(upper=BEYOND * top)


def _log_axes(axes: np.ndarray, top: float) -> None:
    """Logarithmic axes that end at `top`, so that what diverged leaves room for the others."""
    for axis in axes.flat:
        axis.set(xscale="log", yscale="log")
        low, high = axis.get_ylim()
        if high > top:
            axis.set_ylim(min(low, top / 10), top)
        log_scale(axis)
