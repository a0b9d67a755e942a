"""What methods gain over their baselines, laid out by what distinguishes the methods."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import gmean

from hrta.study.analysis.leaderboard import LIMITS
from hrta.study.analysis.tables import marked_ratio

Parts = Mapping[str, Mapping[str, str]]


def with_parts(table: pd.DataFrame, parts: Parts) -> pd.DataFrame:
    """The rows whose methods have parts, with a column for each, in the order in which they come.

    Args:
        table: with a column method.
        parts: of each method, label of each of its parts, such as the activation and the path.

    Raises:
        ValueError: not every method has the same parts.
    """
    if len({tuple(each) for each in parts.values()}) != 1:
        raise ValueError("gains: every method must have the same parts")
    table = table[table["method"].isin(list(parts))]
    names = table["method"].astype(str)
    for part in next(iter(parts.values())):
        order = list(dict.fromkeys(each[part] for each in parts.values()))
        labels = names.map({name: each[part] for name, each in parts.items()})
        table = table.assign(**{part: pd.Categorical(labels, order)})
    return table


def counts(gains: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """On how many pairs of problem and width the whole interval is below 1, above it, or neither.

    Args:
        gains: rows as `hrta.study.analysis.race_statistics.gains` makes them, `with_parts`.
        by: parts that the table has a row for each combination of.

    Returns:
        Table of the parts, better, worse, undecided and ratio, the geometric mean over the pairs
        (ratios clipped as losses are by `hrta.study.analysis.leaderboard.LIMITS`, so that what
        diverged counts).
    """
    most = LIMITS[1] / LIMITS[0]
    scored = gains.assign(
        better=gains["ratio_high"] < 1,
        worse=gains["ratio_low"] > 1,
        ratio=gains["ratio"].clip(1 / most, most),
    )
    scored["undecided"] = ~(scored["better"] | scored["worse"])
    groups = scored.groupby(list(by), observed=True)
    table = groups[["better", "worse", "undecided"]].sum()
    return table.assign(ratio=groups["ratio"].agg(lambda ratios: gmean(np.asarray(ratios))))


def readable_counts(counted: pd.DataFrame) -> pd.DataFrame:
    """The rows of `counts` as text."""
    table = counted.reset_index()
    return table.assign(ratio=table["ratio"].map("{:.3g}".format)).rename(
        columns={"ratio": "mean ratio"}
    )


def readable_grid(
    gains: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], problems: Mapping[str, str]
) -> pd.DataFrame:
    """The ratios as text: a row and a column for each combination of parts.

    A ratio whose whole interval is below 1 (better than the baseline) is marked with ▼, one whose
    whole interval is above 1 with ▲; – stands where nothing was run.

    Args:
        gains: rows as `hrta.study.analysis.race_statistics.gains` makes them, `with_parts`.
        rows, columns: names of parts, or problem.
        problems: label of each problem, in order.
    """
    labels = gains["problem"].astype(str).map(problems)
    table = gains.assign(problem=pd.Categorical(labels, list(problems.values())))
    ratios = table[["ratio", "ratio_low", "ratio_high"]].to_numpy()
    table["text"] = [marked_ratio(*ratio) for ratio in ratios]
    wide = table.pivot(index=list(rows), columns=list(columns), values="text")
    wide = wide.sort_index(axis=0).sort_index(axis=1)
    if isinstance(wide.columns, pd.MultiIndex):
        wide.columns = [", ".join(map(str, column)) for column in wide.columns]
    else:
        wide.columns = [str(column) for column in wide.columns]
    return wide.fillna("–").reset_index()
