"""The results of a race as text."""

import pandas as pd

from hrta.study.analysis.schema import PAIR, PARAMETERS, Labels, interval
from hrta.study.analysis.tables import (
    MISSING,
    intervals,
    labelled,
    marked_ratios,
    ordered,
    parts_of,
)


def readable_leaderboard(table: pd.DataFrame, methods: Labels) -> pd.DataFrame:
    """The rows of `hrta.study.analysis.leaderboard.leaderboard` as text.

    Without the column of test losses if no problem has a test set, and without that of diverged
    runs if there are none.
    """
    text = {
        "method": [methods[method] for method in table["method"]],
        "mean rank [95 %]": intervals(table, interval("rank"), ".1f"),
        "final loss ÷ best [95 %]": intervals(table, interval("ratio"), ".3g"),
        f"wins of {table['pairs'].max()}": table["wins"].tolist(),
    }
    for name in table:
        if name.startswith("reached") and not name.endswith(("_low", "_high")):
            label = f"reached {name.removeprefix('reached_')}"
            text[label] = [f"{100 * share:.0f} %" for share in table[name]]
    if table["test_rank"].notna().any():
        text["mean rank by test loss [95 %]"] = intervals(table, interval("test_rank"), ".1f")
    text["seconds ÷ fastest"] = [f"{value:.3g}" for value in table["seconds"]]
    if table["diverged"].any():
        text["diverged"] = parts_of(table["diverged"], table["pairs"] * table["seeds"])
    return pd.DataFrame(text)


def readable_gains(table: pd.DataFrame, methods: Labels, problems: Labels) -> pd.DataFrame:
    """The ratios of `hrta.study.analysis.races.gains` as text, by `marked_ratio`.

    A row for each problem and width, a column for each ratio; – means not run.
    """
    columns = {}
    compared = table.groupby(["method", "baseline"], observed=True, sort=False)
    for (method, baseline), here in compared:
        pairs = pd.MultiIndex.from_frame(here[PAIR])
        text = pd.Series(marked_ratios(here), pairs)
        columns[f"{methods[method]} ÷ {methods[baseline]}"] = text
    wide = pd.DataFrame(columns).fillna(MISSING).reset_index()
    wide = wide.assign(problem=ordered(wide["problem"], problems))
    wide = wide.sort_values(PAIR, ignore_index=True)
    return wide.assign(problem=wide["problem"].map(problems))


def readable_medians(table: pd.DataFrame, methods: Labels, problems: Labels) -> pd.DataFrame:
    """The rows of `hrta.study.analysis.races.medians` as text."""
    text = {
        "problem": labelled(table["problem"], problems),
        "width": table["width"],
        "method": labelled(table["method"], methods),
    }
    for name, label in (("loss", "final loss [95 %]"), ("test_loss", "test loss [95 %]")):
        if table[name].notna().any():
            text[label] = intervals(table, interval(name), ".2e")
    if "test_error" in table:
        columns = interval("test_error")
        percent = intervals(100 * table[columns], columns, ".1f")
        known = table["test_error"].notna()
        text["misclassified [95 %], in %"] = pd.Series(percent, known.index).where(known, MISSING)
    text["evaluations"] = table["evaluations"].map("{:.0f}".format)
    text["seconds"] = table["seconds"].map("{:.2g}".format)
    if table["diverged"].any():
        text["diverged"] = parts_of(table["diverged"], table["seeds"])
    return pd.DataFrame(text)


def readable_chosen(table: pd.DataFrame, methods: Labels, problems: Labels) -> pd.DataFrame:
    """The parameters of `hrta.study.analysis.races.chosen`, a column for each problem and width.

    ◀ and ▶ mark the lowest and the highest value of a grid.
    """
    edges = {-1: " ◀", 0: "", 1: " ▶"}
    cells = {}
    for row in table.itertuples():
        values = (getattr(row, name) for name in PARAMETERS)
        text = ", ".join(f"{value:g}" for value in values if value == value) + edges[row.edge]
        cells.setdefault((row.problem, row.width), {})[methods[row.method]] = text
    pairs = [
        (name, width) for name in problems for (other, width) in sorted(cells) if other == name
    ]
    wide = pd.DataFrame({f"{problems[n]}, m = {m}": cells[n, m] for n, m in pairs})
    order = [label for label in methods.values() if label in wide.index]
    return wide.loc[order].rename_axis("method").reset_index()
