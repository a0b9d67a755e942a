"""The one style of all figures: legible in one column of text, safe for the colour-blind."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from hrta.runtime.files import whole_file

COLUMN_WIDTH = 4.7  # inches: the text width of the Journal of Scientific Computing
STYLE = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "figure.constrained_layout.use": True,
    "figure.dpi": 150,
    "savefig.dpi": 300,
    # Fonts as outlines that can be searched, and files that do not change from run to run.
    "pdf.fonttype": 42,
    "svg.hashsalt": "hrta",
}


def use_style() -> None:
    """Set the style of every figure of the replication; the plot functions do it themselves."""
    sns.set_theme(context="paper", style="ticks", palette="colorblind", rc=STYLE)


def save(figure: Figure, stem: str | Path) -> None:
    """Write the figure to <stem>.pdf and <stem>.png."""
    for suffix, metadata in ((".pdf", {"CreationDate": None}), (".png", {})):
        with whole_file(f"{stem}{suffix}") as temporary:
            figure.savefig(temporary, metadata=metadata)


def panels(
    axes: np.ndarray, rows: Sequence, columns: Sequence
) -> Iterator[tuple[tuple, tuple[int, int], Axes]]:
    """Every panel of a grid: what its row and column show, its place, its axes."""
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            yield (row, column), (i, j), axes[i, j]


def colours(keys: Sequence) -> list:
    """A colour for each, told apart by the colour-blind; those alike in brightness come last."""
    palette = sns.color_palette("colorblind")
    ordered = [palette[i] for i in (0, 1, 2, 4, 9, 5, 7, 8, 3, 6)]
    return [ordered[i % len(ordered)] for i in range(len(keys))]


def line_styles(keys: Sequence, families: Mapping | None = None) -> list[dict]:
    """Colour and dashes for each of many lines.

    A line of its own has a colour of its own; one of a family has the colour of the line that
    `families` names, and other dashes. Beyond eight colours, dashes tell apart.
    """
    families = dict(families or {})
    for key in keys:
        while families.get(families.get(key)) in keys:
            families[key] = families[families[key]]
    palette = [*colours(range(6)), "black", "0.6"]
    dashes = [
        "-",
        (0, (3, 1.2)),
        (0, (1, 1)),
        (0, (5, 1, 1, 1)),
        (0, (5, 1, 1, 1, 1, 1)),
        (0, (8, 2)),
    ]
    heads = {key: i for i, key in enumerate(key for key in keys if families.get(key) not in keys)}
    members = dict.fromkeys(heads, 0)
    styles = []
    for key in keys:
        head = key if key in heads else families[key]
        number = heads[head] // len(palette) + members[head]
        members[head] += 1
        colour = palette[heads[head] % len(palette)]
        styles.append({"color": colour, "linestyle": dashes[number % len(dashes)]})
    return styles


def line_and_band(
    axis: Axes, over: pd.DataFrame, colour: tuple, label: str, **line: object
) -> None:
    """The middle column against the index as a line, from the first to the last as a band."""
    low, middle, high = (over.iloc[:, i] for i in range(3))
    axis.fill_between(over.index, low, high, color=colour, alpha=0.2, linewidth=0)
    axis.plot(over.index, middle, color=colour, label=label, **line)


def log_scale(axis: Axes) -> None:
    """A logarithmic y axis whose labels neither crowd nor are missing, whatever it spans."""
    axis.set_yscale("log")
    low, high = np.log10(axis.get_ylim())
    if high - low > 2:
        axis.yaxis.set_minor_formatter(NullFormatter())
    elif high - low > 0.5:
        axis.yaxis.set_minor_formatter(FuncFormatter(_label_2_and_5))


def _label_2_and_5(value: float, _: int) -> str:
    exponent = int(np.floor(np.log10(value)))
    digit = round(value / 10.0**exponent)
    return rf"${digit}\times10^{{{exponent}}}$" if digit in (2, 5) else ""


def legend(figure: Figure, axes: np.ndarray, ncols: int) -> None:
    """One legend for all panels, below them, with whatever any of them shows."""
    entries = {}
    for axis in axes.flat:
        handles, labels = axis.get_legend_handles_labels()
        entries = dict(zip(labels, handles, strict=True)) | entries
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=ncols)
