"""The style of all figures: legible in one text column, safe for the colour-blind."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from hrta.runtime.files import whole_file
from hrta.runtime.imports import hidden

# Without these, seaborn only lacks what is not used here; with them, its import takes far longer.
with hidden("scipy", "statsmodels"):
    import seaborn as sns

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
    "savefig.dpi": 300,  # twice the one above: see `save_figure`
    # Text that can be searched, and files that are the same in every run.
    "pdf.fonttype": 42,
    "svg.hashsalt": "hrta",
}


def use_style() -> None:
    """Set the style of all figures; the plot functions call it."""
    sns.set_theme(context="paper", style="ticks", palette="colorblind", rc=STYLE)


@dataclass(frozen=True)
class Picture:
    """A picture that a notebook shows.

    Attributes:
        png: the bytes of a PNG file.
    """

    png: bytes = field(repr=False)  # a notebook also stores the text of what it shows

    def _repr_png_(self) -> bytes:
        return self.png


def save_figure(figure: Figure, stem: str | Path) -> Picture:
    """Write the figure to <stem>.pdf and <stem>.png, and close it.

    Returns:
        The PNG at half its size. To draw the open figure once more for the notebook would take as
        long as to write either file.
    """
    for suffix, metadata in ((".pdf", {"CreationDate": None}), (".png", {})):
        with whole_file(f"{stem}{suffix}") as temporary:
            figure.savefig(temporary, metadata=metadata)
    plt.close(figure)
    shown = io.BytesIO()
    with Image.open(f"{stem}.png") as saved:
        saved.convert("RGB").reduce(2).save(shown, "png")
    return Picture(shown.getvalue())


def colours(keys: Sequence) -> list:
    """A colour for each key, safe for the colour-blind; those of similar brightness come last."""
    palette = sns.color_palette("colorblind")
    ordered = [palette[i] for i in (0, 1, 2, 4, 9, 5, 7, 8, 3, 6)]
    return [ordered[i % len(ordered)] for i in range(len(keys))]


def shades(number: int) -> list:
    """Colours for this many values of a quantity, dark to light, without the ends of the scale."""
    return sns.color_palette("viridis", number)


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
