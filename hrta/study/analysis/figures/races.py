"""The figures of the race of many methods."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hrta.study.analysis.figures.panels import log_scale, panel_figure
from hrta.study.analysis.figures.style import line_styles
from hrta.study.analysis.leaderboard import LIMITS
from hrta.study.analysis.schema import Labels

CLOCKS = {"evaluations": "gradient evaluations", "seconds": "seconds"}
LEGEND_LINE = 0.16  # inches
OUTSIDE = 2  # times the upper limit of the axes: the position of points outside the panel


def race_curves(
    runs: pd.DataFrame,
    methods: Labels,
    widths: Sequence[int] | None = None,
    families: Labels | None = None,
) -> Figure:
    """Training loss against cost: medians over seeds; a dot marks the end of a method.

    At each logged step the median loss is drawn at the median of the clock; a run that ended early
    counts with its last row. Losses above ten times the highest initial loss are cut off.

    Args:
        runs: rows of `RACE`, of one problem.
        methods: label of each method to show, in order.
        widths: a row of panels each; by default all widths of the table.
        families: for each method that shares the colour of another, this other method.

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

    def draw(axis: Axes, width: int, clock: str) -> None:
        here = runs[runs["width"] == width]
        for method, style in styles.items():
            curve = _median_curve(here[here["method"] == method], clock)
            curve = _on_log_axes(curve, top)
            axis.plot(curve, **style)
            axis.plot(curve.tail(1), ".", color=style["color"])

    rows, columns = dict.fromkeys(widths, "training loss"), dict.fromkeys(CLOCKS, "")
    titles = {width: f"width m = {width}" for width in widths}
    sharing = {"sharex": "col", "sharey": "row"}
    height = _height(len(rows), 1.6, len(styles))
    figure = panel_figure(rows, columns, draw, height, CLOCKS, row_titles=titles, **sharing)
    _log_axes(figure.axes, top)
    return figure


def profiles(
    profiles_by_clock: Mapping[str, pd.DataFrame], methods: Labels, families: Labels | None = None
) -> Figure:
    """Performance profiles: fraction of pairs on which a method is within a factor of the fastest.

    Args:
        profiles_by_clock: rows of `hrta.study.analysis.races.performance_profiles` by clock, a row
            of panels each; a column of panels for each target.
        methods: label of each method to show, in order.
        families: as for `race_curves`.
    """
    targets = sorted(set().union(*(table["target"] for table in profiles_by_clock.values())))
    styles = _styles(methods, pd.concat(profiles_by_clock.values()), families)

    def draw(axis: Axes, clock: str, target: float) -> None:
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

    rows = {clock: f"{CLOCKS[clock]}:\nshare of pairs" for clock in profiles_by_clock}
    columns = dict.fromkeys(targets[::-1], "")  # the easiest first
    height = _height(len(rows), 2.0, len(styles))
    return panel_figure(rows, columns, draw, height, "ratio to fastest", sharex="row", sharey=True)


def loss_against_learning_rate(
    table: pd.DataFrame, methods: Labels, problems: Labels, families: Labels | None = None
) -> Figure:
    """Final training loss against the learning rate, with the best of the other parameters.

    Losses above the upper one of `hrta.study.analysis.leaderboard.LIMITS` are cut off.

    Args:
        table: rows of `hrta.study.analysis.races.sensitivity`.
        methods: label of each method to show, in order.
        problems: label of each problem, a row of panels each; problems without rows are left out.
            A column of panels for each width.
        families: as for `race_curves`.
    """
    problems = {name: label for name, label in problems.items() if (table["problem"] == name).any()}
    table = table[table["problem"].isin(list(problems))]
    styles = _styles(methods, table, families)
    widths = sorted(table["width"].unique())

    def draw(axis: Axes, problem: str, width: int) -> None:
        here = table[(table["problem"] == problem) & (table["width"] == width)]
        axis.set_visible(len(here) > 0)
        for method, style in styles.items():
            line = here[here["method"] == method].set_index("learning_rate")["loss"].sort_index()
            axis.plot(_on_log_axes(line, LIMITS[1]), marker=".", markersize=4, **style)
        axis.set_title(f"m = {width}")

    rows, columns = dict.fromkeys(problems, ""), dict.fromkeys(widths, "")
    height = _height(len(rows), 1.3, len(styles))
    figure = panel_figure(rows, columns, draw, height, sharey="row")
    _log_axes(figure.axes, LIMITS[1])
    panels = np.reshape(figure.axes, (len(problems), len(widths)))
    for column in panels.T:
        lowest = [axis for axis in column if axis.get_visible()][-1]
        lowest.tick_params(labelbottom=True)
        lowest.set_xlabel("learning rate")
    for problem, row in zip(problems, panels, strict=True):
        first = next(axis for axis in row if axis.get_visible())
        first.tick_params(labelleft=True)
        first.set_ylabel(problems[problem])
    figure.supylabel("final training loss", fontsize="medium")
    return figure


def _styles(methods: Labels, table: pd.DataFrame, families: Labels | None) -> dict[str, dict]:
    """Label, colour and dashes of each method of the table, independent of its other methods."""
    shown = set(table["method"].unique())
    styles = zip(methods, line_styles([*methods], families), strict=True)
    return {name: style | {"label": methods[name]} for name, style in styles if name in shown}


def _height(rows: int, height: float, entries: int) -> float:
    """Height of a figure [inches]: rows of panels, and a legend in three columns."""
    below = 0.4 + LEGEND_LINE * -(-entries // 3)
    return below + height * rows


def _median_curve(runs: pd.DataFrame, clock: str) -> pd.Series:
    """Median loss over seeds, indexed by the median of the clock, at each logged step."""
    runs = runs.fillna({"loss": np.inf}).set_index(["step", "seed"])
    # A run that ended early keeps its last row.
    medians = [runs[name].unstack().ffill().median(axis=1) for name in (clock, "loss")]
    return pd.Series(medians[1].to_numpy(), index=medians[0].to_numpy())


def _on_log_axes(line: pd.Series, top: float) -> pd.Series:
    """The points of a line on logarithmic axes; those above `top` are moved outside the panel."""
    return line[(line.index > 0) & (line > 0)].clip(upper=OUTSIDE * top)


def _log_axes(axes: Sequence[Axes], top: float) -> None:
    """Logarithmic axes with the upper limit `top`, so that diverged runs do not set the scale."""
    for axis in axes:
        axis.set(xscale="log", yscale="log")
        low, high = axis.get_ylim()
        if high > top:
            axis.set_ylim(min(low, top / 10), top)
        log_scale(axis)
