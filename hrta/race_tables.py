"""The results of a race as text."""

from collections.abc import Mapping

import pandas as pd

from hrta.race_results import PAIR


def readable_leaderboard(table: pd.DataFrame, methods: Mapping[str, str]) -> pd.DataFrame:
    """The rows of `leaderboard` as text, without what says nothing (no test set, no divergence)."""

    def interval(name: str, form: str) -> list[str]:
        values = table[[name, f"{name}_low", f"{name}_high"]].to_numpy()
        return [_with_interval(*row, form) for row in values]

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
    """The ratios of `gains` as text: a row for each problem and width, a column for each method.

    A ratio whose whole interval is below 1 (better than the baseline) is marked with ▼, one whose
    whole interval is above 1 with ▲; – stands where the method was not run.
    """
    columns = {}
    for method, here in table.groupby("method", observed=True, sort=False):
        ratios = here.set_index(PAIR)[["ratio", "ratio_low", "ratio_high"]]
        text = pd.Series([_marked(*ratio) for ratio in ratios.to_numpy()], ratios.index)
        columns[f"{methods[method]} ÷ {methods[here['baseline'].iloc[0]]}"] = text
    wide = pd.DataFrame(columns).fillna("–").reset_index()
    order = pd.Categorical(wide["problem"], list(problems))
    wide = wide.assign(problem=order).sort_values(PAIR, ignore_index=True)
    return wide.assign(problem=wide["problem"].map(problems))


def _marked(ratio: float, low: float, high: float) -> str:
    return _with_interval(ratio, low, high, ".3g") + (" ▼" if high < 1 else " ▲" if low > 1 else "")


def _with_interval(middle: float, low: float, high: float, form: str) -> str:
    return f"{middle:{form}} [{low:{form}}, {high:{form}}]"
