"""The style of all figures: legible in one text column, safe for the colour-blind."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from hrta.runtime.files import whole_file

COLUMN_WIDTH = 4.7  # inches: the text width of the Journal of Scientific Computing
# Safe for the colour-blind: the palette of seaborn, whose import would cost as much as a figure.
PALETTE = [
    *("#0173B2", "#DE8F05", "#029E73", "#D55E00", "#CC78BC"),
    *("#CA9161", "#FBAFE4", "#949494", "#ECE133", "#56B4E9"),
]
STYLE = {
    "font.size": 8,
    "font.family": ["sans-serif"],
    "font.sans-serif": [
        *("Arial", "DejaVu Sans", "Liberation Sans", "Bitstream Vera Sans", "sans-serif")
    ],
    "text.color": ".15",
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.labelcolor": ".15",
    "axes.edgecolor": ".15",
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.prop_cycle": mpl.cycler(color=PALETTE),
    "grid.color": ".8",
    "grid.linewidth": 0.4,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 9.6,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.8,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "w",
    "patch.force_edgecolor": True,
    "patch.linewidth": 0.8,
    **{
        f"{axis}tick.{name}": value
        for axis in "xy"
        for name, value in {
            "labelsize": 7,
            "color": ".15",
            "major.size": 4.8,
            "major.width": 1.0,
            "minor.size": 3.2,
            "minor.width": 0.8,
        }.items()
    },
    "figure.constrained_layout.use": True,
    "figure.dpi": 150,
    "savefig.dpi": 300,
    # Text that can be searched, and files that are the same in every run.
    "pdf.fonttype": 42,
    "svg.hashsalt": "hrta",
}


def use_style() -> None:
    """Set the style of all figures; the plot functions call it."""
    mpl.rcParams.update(STYLE)


def save_figure(figure: Figure, stem: str | Path) -> None:
    """Write the figure to <stem>.pdf and <stem>.png."""
    for suffix, metadata in ((".pdf", {"CreationDate": None}), (".png", {})):
        with whole_file(f"{stem}{suffix}") as temporary:
            figure.savefig(temporary, metadata=metadata)


def colours(keys: Sequence) -> list:
    """A colour for each key, safe for the colour-blind; those of similar brightness come last."""
    ordered = [PALETTE[i] for i in (0, 1, 2, 4, 9, 5, 7, 8, 3, 6)]
    return [to_rgb(ordered[i % len(ordered)]) for i in range(len(keys))]


def shades(number: int) -> list:
    """Colours for this many values of a quantity, dark to light, without the ends of the scale."""
    chosen = mpl.colormaps["viridis"](np.linspace(0, 1, number + 2)[1:-1])
    return [tuple(colour[:3]) for colour in chosen]


def line_styles(keys: Sequence, families: Mapping | None = None) -> list[dict]:
    """Colour and dashes for each of many lines.

    A line has a separate colour, or the colour of the line that `families` names with other dashes.
    After eight colours, they repeat with other dashes.
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
