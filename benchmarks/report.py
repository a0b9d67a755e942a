"""What the timings say: a table of everyone, and figures of how the cost grows."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from benchmarks.cases import POINTS, WIDTH
from benchmarks.limit import operations
from hrta.runtime.files import whole_file
from hrta.study.analysis.figures.panels import legend, log_scale
from hrta.study.analysis.figures.style import COLUMN_WIDTH, colours, save_figure, use_style

CASE = ["d", "m", "n", "R"]
ENGINES = ("naive", "torch BLAS", "torch", "JAX", "ours")
COLOURS = dict(zip(reversed(ENGINES), colours(ENGINES), strict=True))
AXES = {"m": "width m (neurons)", "n": "points n", "R": "networks R", "d": "inputs d"}
TIME = "time per network and step [µs]"


def best(raw: pd.DataFrame) -> pd.DataFrame:
    """For each case and engine the variant with the smallest median; `numba` and `triton` are ours.

    Columns: d, m, n, R, engine, variant, us.
    """
    named = raw.assign(engine=raw["engine"].replace({"numba": "ours", "triton": "ours"}))
    medians = named.groupby([*CASE, "engine", "variant"], as_index=False)["us"].median()
    return medians.loc[medians.groupby([*CASE, "engine"])["us"].idxmin()].reset_index(drop=True)


def comparison(raw: pd.DataFrame, rate: float) -> pd.DataFrame:
    """One row for each case on which the naive way was timed: microseconds and ratios.

    Args:
        raw: every timing, as `benchmarks.timing.time_case` makes them.
        rate: multiply-adds a second of the machine.
    """
    table = best(raw).pivot(index=CASE, columns="engine", values=["us", "variant"])
    us = table["us"].astype(float).reindex(columns=list(ENGINES))
    us = us[us["naive"].notna()]
    us["JAX variant"] = table["variant"].get("JAX")
    us["naive / ours"] = us["naive"] / us["ours"]
    us["JAX / ours"] = us["JAX"] / us["ours"]
    us["limit"] = [1e6 * operations(d, m, n) / rate for d, m, n, _ in us.index]
    us["ours / limit"] = us["ours"] / us["limit"]
    return us.rename_axis(columns=None).reset_index()


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `comparison` as text, three digits each."""
    text = table[["d", "m", "R"]].astype(str)
    for name in ENGINES:
        text[f"{name} [µs]"] = table[name].map(_three_digits)
    variant = table["JAX variant"].map(lambda name: "" if pd.isna(name) else f" ({name})")
    text["JAX [µs]"] += variant
    for name in ("naive / ours", "JAX / ours", "ours / limit"):
        text[name] = table[name].map(_three_digits)
    return text


def _three_digits(value: float) -> str:
    return "–" if pd.isna(value) else f"{float(f'{value:.3g}'):,g}"


def write(raw: pd.DataFrame, record: Mapping, folder: Path) -> str:
    """Write table and figures to the folder; the text of the table."""
    mpl.use("agg")
    table = comparison(raw, record["multiply_adds_per_second"])
    text = readable(table).to_markdown(index=False, disable_numparse=True)
    with whole_file(folder / "benchmark.md") as temporary:
        temporary.write_text(f"{caption(record)}\n\n{text}\n")
    for figure, name in (
        (against_width(table), "benchmark"),
        (against_everything(raw), "benchmark_growth"),
    ):
        save_figure(figure, folder / name)
        plt.close(figure)
    return text


def caption(record: Mapping) -> str:
    """What the table shows, in words, and on which machine."""
    versions = record["versions"]
    used = [f"{name} {versions[name]}" for name in ("torch", "numba", "jax") if versions[name]]
    billions = f"{record['multiply_adds_per_second'] / 1e9:.3g} billion multiply-adds a second"
    machine = " and ".join(filter(None, [record["gpu"], record["cpu"]]))
    text = (
        "Time for one step of one network [µs]: wall time over networks and steps, the median of "
        f"interleaved timings, for the best variant of each; n = {POINTS} points, Adam, float32; "
        f"{machine}, {record['cores']} cores; {', '.join(used)}. The limit is (2 D + 3) n m "
        f"operations, D = d + 1, at the measured {billions}, without the update."
    )
    if record["gpu"]:
        return text
    return (
        f"{text} Our engine may be below this limit, which is that of the dense formulation: for "
        "d = 1 it sorts the points and takes O(n + m) operations instead of O(n m), and with "
        "AVX-512 one addition of the backward pass takes the place of four."
    )


def against_width(table: pd.DataFrame) -> Figure:
    """Microseconds against width: a panel for each d, a line for each engine, and the limit."""
    use_style()
    table = table[table["R"] == table["R"].max()].sort_values("m")
    widths = table.groupby("d")["m"].nunique()
    inputs = widths.index[widths > 1]
    figure, axes = plt.subplots(
        1, len(inputs), figsize=(COLUMN_WIDTH, 2.7), sharey=True, squeeze=False
    )
    for d, axis in zip(inputs, axes.flat, strict=True):
        here = table[table["d"] == d]
        for engine in ENGINES:
            if here[engine].notna().any():
                _line(axis, here["m"], here[engine], engine, label=engine)
        axis.plot(here["m"], here["limit"], color="0.4", linestyle=":", label="limit (dense)")
        axis.set(xscale="log", yscale="log", xlabel=AXES["m"], title=f"d = {d}")
        axis.set_xticks(list(here["m"]), [_short(m) for m in here["m"]])
        axis.xaxis.set_minor_locator(NullLocator())
    axes[0, 0].set_ylabel(TIME)
    legend(figure, axes.flat, ncols=3)
    return figure


def against_everything(raw: pd.DataFrame) -> Figure:
    """Microseconds of engines and JAX against each of m, n, R and d, the others fixed."""
    use_style()
    chosen = best(raw)
    everyone = chosen[chosen["engine"] == "naive"]
    base = {"m": min(WIDTH, everyone["m"].max()), "n": POINTS, "R": everyone["R"].max()}
    figure, axes = plt.subplots(2, 2, figsize=(COLUMN_WIDTH, 4.6))
    for (name, label), axis in zip(AXES.items(), axes.flat, strict=True):
        fixed = {key: value for key, value in base.items() if key != name}
        here = chosen[(chosen[list(fixed)] == pd.Series(fixed)).all(axis=1)].sort_values(name)
        for engine in ("torch", "JAX", "ours"):
            rows = here[here["engine"] == engine]
            if name == "d":
                _line(axis, rows["d"], rows["us"], engine)
                continue
            for d, style in ((1, "-"), (3, "--")):
                line = rows[rows["d"] == d]
                if len(line):
                    _line(axis, line[name], line["us"], engine, style, f"{engine}, d = {d}")
        title = ", ".join(f"{key} = {value}" for key, value in fixed.items())
        axis.set(xscale="log", yscale="log", xlabel=label, title=title)
        axis.xaxis.set_minor_formatter(NullFormatter())
        log_scale(axis)
    for axis in axes[:, 0]:
        axis.set_ylabel(TIME)
    legend(figure, axes.flat, ncols=3)
    return figure


def _line(
    axis: Axes,
    x: pd.Series,
    y: pd.Series,
    engine: str,
    style: str = "-",
    label: str | None = None,
) -> None:
    axis.plot(x, y, style, color=COLOURS[engine], marker="o", markersize=2.5, label=label)


def _short(number: int) -> str:
    return f"{number // 1000}k" if number >= 1000 else str(number)
