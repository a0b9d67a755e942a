"""Tables as text, and their CSV and Markdown files."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hrta.runtime.files import whole_file
from hrta.study.analysis.schema import CELL, MEDIAN, RATIO, Labels

MISSING = "–"


def save_table(table: pd.DataFrame, readable: pd.DataFrame, stem: str | Path) -> None:
    """Write `table` to <stem>.csv, in full precision, and `readable` to <stem>.md."""
    with whole_file(f"{stem}.csv") as temporary:
        table.to_csv(temporary, index=False)
    with whole_file(f"{stem}.md") as temporary:
        shown = readable.rename(columns=_in_markdown).map(_in_markdown)
        temporary.write_text(shown.to_markdown(index=False) + "\n", encoding="utf-8")


def _in_markdown(cell: object) -> object:
    """The cell, or a heading, of a table in Markdown, where | ends a cell."""
    return cell.replace("|", r"\|") if isinstance(cell, str) else cell


def with_interval(middle: float, low: float, high: float, form: str) -> str:
    """middle [low, high], each in the format `form`."""
    return f"{middle:{form}} [{low:{form}}, {high:{form}}]"


def marked_ratio(ratio: float, low: float, high: float) -> str:
    """Ratio and interval; ▼ if the whole interval is below 1 (better), ▲ if above (worse)."""
    mark = " ▼" if high < 1 else " ▲" if low > 1 else ""
    return with_interval(ratio, low, high, ".3g") + mark


def intervals(table: pd.DataFrame, columns: Sequence[str], form: str) -> list[str]:
    """Each row's number with its interval, from the three columns."""
    return [with_interval(*row, form) for row in table[list(columns)].to_numpy(dtype=float)]


def marked_ratios(table: pd.DataFrame, columns: Sequence[str] = tuple(RATIO)) -> list[str]:
    """Each row's `marked_ratio`, from the three columns."""
    return [marked_ratio(*row) for row in table[list(columns)].to_numpy(dtype=float)]


def parts_of(numbers: pd.Series, totals: pd.Series) -> list[str]:
    """Each number with its total: 3 of 20."""
    return [f"{number} of {total}" for number, total in zip(numbers, totals, strict=True)]


def ordered(column: pd.Series, labels: Labels) -> pd.Categorical:
    """The names as a categorical in the order of their labels, for sorting."""
    return pd.Categorical(column, list(labels))


def labelled(column: pd.Series, labels: Labels) -> pd.Series:
    """The labels of the names."""
    return column.astype(str).map(dict(labels))


def in_order(
    comparison: pd.DataFrame, methods: Labels, optimizers: Labels, experiments: Labels
) -> pd.DataFrame:
    """The rows sorted by experiment, optimizer, width, learning rate and method.

    Names are in the order of their labels. Rows without a learning rate (each method at its own
    best) come last.
    """
    orders = {"experiment": experiments, "optimizer": optimizers, "method": methods}
    columns = {name: ordered(comparison[name], labels) for name, labels in orders.items()}
    return comparison.assign(**columns).sort_values(CELL, ignore_index=True)


def readable_comparison(
    comparison: pd.DataFrame,
    methods: Labels,
    optimizers: Labels,
    experiments: Labels,
    baseline: str,
) -> pd.DataFrame:
    """The rows of `hrta.study.analysis.comparison.compare` as text, with `marked_ratio`."""
    table = comparison.reset_index(drop=True)
    text = pd.DataFrame(
        {
            "problem": labelled(table["experiment"], experiments),
            "optimizer": labelled(table["optimizer"], optimizers),
            "width": table["width"],
            "learning rate": [_learning_rate(row) for row in table.itertuples()],
            "method": labelled(table["method"], methods),
            "final loss [95 %]": intervals(table, MEDIAN, ".2e"),
            f"ratio to {methods[baseline]} [95 %]": ratios_to(table, "method", baseline),
        }
    )
    if table["diverged"].any():
        text["diverged"] = parts_of(table["diverged"], table["seeds"])
    return text


def ratios_to(comparison: pd.DataFrame, by: str, baseline: str) -> list[str]:
    """Each row's `marked_ratio`; 1 for the baseline itself."""
    names = zip(comparison[by], marked_ratios(comparison), strict=True)
    return ["1" if name == baseline else ratio for name, ratio in names]


def _learning_rate(row: tuple) -> str:
    """The learning rate; if missing, the best one."""
    if row.learning_rate == row.learning_rate:
        return f"{row.learning_rate:g}"
    return f"own best: {row.best_learning_rate:g}"


def readable_ratios(readable: pd.DataFrame) -> pd.DataFrame:
    """The ratios of `readable_comparison` with a column for each method.

    One row for each problem, optimizer, width and learning rate, in order of first appearance.
    """
    ratio = next(name for name in readable.columns if name.startswith("ratio to"))
    readable = readable.assign(**{"learning rate": readable["learning rate"].str.split(":").str[0]})
    cell = ["problem", "optimizer", "width", "learning rate"]
    wide = readable.pivot(index=cell, columns="method", values=ratio)
    rows = pd.MultiIndex.from_frame(readable[cell].drop_duplicates())
    table = wide.loc[rows, readable["method"].unique()].fillna(MISSING)
    return table.rename_axis(columns=None).reset_index()


def readable_jumps(
    compared: pd.DataFrame, methods: Labels, optimizers: Labels, experiments: Labels
) -> pd.DataFrame:
    """The rows of `hrta.study.analysis.theory.jumps_at_switches` as text."""
    return pd.DataFrame(
        {
            "problem": labelled(compared["experiment"], experiments),
            "optimizer": labelled(compared["optimizer"], optimizers),
            "method": labelled(compared["method"], methods),
            "width": compared["width"],
            "loss before the switch": compared["loss_before"].map("{:.2e}".format),
            "after it": compared["loss_after"].map("{:.2e}".format),
            "expected at m = ∞": compared["expected_loss"].map("{:.2e}".format),
        }
    )
