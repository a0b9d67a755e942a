"""Tables for readers: CSV for programs, Markdown for people."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from hrta.runtime.files import whole_file


def save(table: pd.DataFrame, readable: pd.DataFrame, stem: str | Path) -> None:
    """Write `table` to <stem>.csv, in full precision, and `readable` to <stem>.md."""
    with whole_file(f"{stem}.csv") as temporary:
        table.to_csv(temporary, index=False)
    with whole_file(f"{stem}.md") as temporary:
        temporary.write_text(readable.to_markdown(index=False) + "\n")


def in_order(
    comparison: pd.DataFrame,
    methods: Mapping[str, str],
    optimizers: Mapping[str, str],
    experiments: Mapping[str, str],
) -> pd.DataFrame:
    """The rows by experiment, optimizer, width, learning rate and method, as the mappings say.

    Rows without a learning rate (each method at its own best) come after those with one.
    """
    orders = {"experiment": experiments, "optimizer": optimizers, "method": methods}
    columns = {
        name: pd.Categorical(comparison[name], list(order)) for name, order in orders.items()
    }
    ordered = comparison.assign(**columns)
    return ordered.sort_values(
        ["experiment", "optimizer", "width", "learning_rate", "method"], ignore_index=True
    )


def readable_comparison(
    comparison: pd.DataFrame,
    methods: Mapping[str, str],
    optimizers: Mapping[str, str],
    experiments: Mapping[str, str],
    baseline: str,
) -> pd.DataFrame:
    """The rows of `comparison.compare` as text: median [interval], ratio [interval].

    A ratio whose whole interval is below 1 (better than the baseline) is marked with ▼, one whose
    whole interval is above 1 with ▲.
    """
    rows = []
    for row in comparison.itertuples():
        rows.append(
            {
                "problem": experiments[row.experiment],
                "optimizer": optimizers[row.optimizer],
                "width": row.width,
                "learning rate": _rate(row),
                "method": methods[row.method],
                "final loss [95 %]": with_interval(row.median, row.low, row.high, ".2e"),
                f"ratio to {methods[baseline]} [95 %]": _ratio(row, baseline),
                "diverged": f"{row.diverged} of {row.seeds}",
            }
        )
    table = pd.DataFrame(rows)
    none_diverged = (comparison["diverged"] == 0).all()
    return table.drop(columns="diverged") if none_diverged else table


def readable_ratios(readable: pd.DataFrame) -> pd.DataFrame:
    """The ratios of `readable_comparison` with a column for each method.

    One row for each problem, optimizer, width and learning rate, in the order in which they first
    come.
    """
    ratio = next(name for name in readable.columns if name.startswith("ratio to"))
    readable = readable.assign(**{"learning rate": readable["learning rate"].str.split(":").str[0]})
    cell = ["problem", "optimizer", "width", "learning rate"]
    wide = readable.pivot(index=cell, columns="method", values=ratio)
    rows = pd.MultiIndex.from_frame(readable[cell].drop_duplicates())
    ordered = wide.loc[rows, readable["method"].unique()].fillna("–")
    return ordered.rename_axis(columns=None).reset_index()


def readable_jumps(
    compared: pd.DataFrame,
    methods: Mapping[str, str],
    optimizers: Mapping[str, str],
    experiments: Mapping[str, str],
) -> pd.DataFrame:
    """The rows of `hrta.study.analysis.theory.jumps_at_switches` with labels for names."""
    return pd.DataFrame(
        {
            "problem": compared["experiment"].map(experiments),
            "optimizer": compared["optimizer"].map(optimizers),
            "method": compared["method"].map(methods),
            "width": compared["width"],
            "loss before the switch": compared["loss_before"].map("{:.2e}".format),
            "after it": compared["loss_after"].map("{:.2e}".format),
            "expected at m = ∞": compared["expected_loss"].map("{:.2e}".format),
        }
    )


def _rate(row: tuple) -> str:
    """The learning rate; without one, which of them was best."""
    if row.learning_rate == row.learning_rate:
        return f"{row.learning_rate:g}"
    return f"own best: {row.best_learning_rate:g}"


def _ratio(row: tuple, baseline: str) -> str:
    if row.method == baseline:
        return "1"
    return marked_ratio(row.ratio, row.ratio_low, row.ratio_high)


def marked_ratio(ratio: float, low: float, high: float) -> str:
    """Ratio and interval; ▼ if all of it is below 1 (better), ▲ if all of it is above."""
    mark = " ▼" if high < 1 else " ▲" if low > 1 else ""
    return with_interval(ratio, low, high, ".3g") + mark


def with_interval(middle: float, low: float, high: float, form: str) -> str:
    """middle [low, high], each in that format."""
    return f"{middle:{form}} [{low:{form}}, {high:{form}}]"
