"""The results of a race as text."""

from collections.abc import Mapping

import pandas as pd

from hrta.study.analysis.race_results import PAIR
from hrta.study.analysis.tables import marked_ratio, with_interval


def readable_leaderboard(table: pd.DataFrame, methods: Mapping[str, str]) -> pd.DataFrame:
    """The rows of `leaderboard` as text, without what says nothing (no test set, no divergence)."""

    def interval(name: str, form: str) -> list[str]:
        values = table[[name, f"{name}_low", f"{name}_high"]].to_numpy()
        return [with_interval(*row, form) for row in values]

    text = {
        "method": [methods[method] for method in table["method"]],
        "mean rank [95 %]": interval("rank", ".1f"),
        "final loss ÷ best [95 %]": interval("ratio", ".3g"),
        f"wins of {table['pairs'].max()}": table["wins"].tolist(),
    }
    for name in table:
        if name.startswith("reached") and not name.endswith(("_low", "_high")):
            label = f"reached {name.removeprefix('reached_')}"
            text[label] = [f"{100 * share:.0f} %" for share in table[name]]
    if table["test_rank"].notna().any():
        text["mean rank by test loss [95 %]"] = interval("test_rank", ".1f")
    text["seconds ÷ fastest"] = [f"{value:.3g}" for value in table["seconds"]]
    if table["diverged"].any():
        runs = table["pairs"] * table["seeds"]
        pairs = zip(table["diverged"], runs, strict=True)
        text["diverged"] = [f"{diverged} of {count}" for diverged, count in pairs]
    return pd.DataFrame(text)


def readable_gains(
    table: pd.DataFrame, methods: Mapping[str, str], problems: Mapping[str, str]
) -> pd.DataFrame:
    """The ratios of `gains` as text: a row for each problem and width, a column for each ratio.

    A ratio whose whole interval is below 1 (better than the baseline) is marked with ▼, one whose
    whole interval is above 1 with ▲; – stands where the method was not run.
    """
    columns = {}
    compared = table.groupby(["method", "baseline"], observed=True, sort=False)
    for (method, baseline), here in compared:
        ratios = here.set_index(PAIR)[["ratio", "ratio_low", "ratio_high"]]
        text = pd.Series([marked_ratio(*ratio) for ratio in ratios.to_numpy()], ratios.index)
        columns[f"{methods[method]} ÷ {methods[baseline]}"] = text
    wide = pd.DataFrame(columns).fillna("–").reset_index()
    order = pd.Categorical(wide["problem"], list(problems))
    wide = wide.assign(problem=order).sort_values(PAIR, ignore_index=True)
    return wide.assign(problem=wide["problem"].map(problems))


def readable_finals(
    table: pd.DataFrame, methods: Mapping[str, str], problems: Mapping[str, str]
) -> pd.DataFrame:
    """The rows of `hrta.study.analysis.race_statistics.finals` as text."""
    text = {"problem": table["problem"].astype(str).map(problems), "width": table["width"]}
    text["method"] = table["method"].astype(str).map(methods)
    for name, label in (("loss", "final loss [95 %]"), ("test_loss", "test loss [95 %]")):
        values = table[[name, f"{name}_low", f"{name}_high"]].to_numpy()
        if table[name].notna().any():
            text[label] = [with_interval(*row, ".2e") for row in values]
    if "test_error" in table:
        shares = table[["test_error", "test_error_low", "test_error_high"]].to_numpy()
        percent = [with_interval(*(100 * row), ".1f") for row in shares]
        text["misclassified [95 %], in %"] = [
            share if known else "–"
            for share, known in zip(percent, table["test_error"].notna(), strict=True)
        ]
    text["evaluations"] = table["evaluations"].map("{:.0f}".format)
    text["seconds"] = table["seconds"].map("{:.2g}".format)
    if table["diverged"].any():
        pairs = zip(table["diverged"], table["seeds"], strict=True)
        text["diverged"] = [f"{diverged} of {seeds}" for diverged, seeds in pairs]
    return pd.DataFrame(text)


def readable_chosen(
    table: pd.DataFrame, methods: Mapping[str, str], problems: Mapping[str, str]
) -> pd.DataFrame:
    """The rows of `race_statistics.chosen`: one for each method, a column for each pair.

    ◀ and ▶ mark what is the lowest or the highest of its grid.
    """
    edges = {-1: " ◀", 0: "", 1: " ▶"}
    cells = {}
    for row in table.itertuples():
        values = (row.learning_rate, row.momentum, row.ridge, row.history_size, row.recovery)
        text = ", ".join(f"{value:g}" for value in values if value == value) + edges[row.edge]
        cells.setdefault((row.problem, row.width), {})[methods[row.method]] = text
    pairs = [
        (name, width) for name in problems for (there, width) in sorted(cells) if there == name
    ]
    wide = pd.DataFrame({f"{problems[n]}, m = {m}": cells[n, m] for n, m in pairs})
    order = [label for label in methods.values() if label in wide.index]
    return wide.loc[order].rename_axis("method").reset_index()
