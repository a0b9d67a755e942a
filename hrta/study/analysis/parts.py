"""Methods composed of parts, such as an activation and a path, and their gains by part."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hrta.study.analysis.leaderboard import LIMITS
from hrta.study.analysis.schema import Labels
from hrta.study.analysis.tables import MISSING, marked_ratios


def with_parts(table: pd.DataFrame, parts: Mapping[str, Labels]) -> pd.DataFrame:
    """The rows whose methods have parts, with an ordered categorical column for each part.

    Args:
        table: table with the column method.
        parts: for each method the label of each part, such as the activation and the path.

    Raises:
        ValueError: the methods have different parts.
    """
    if len({tuple(each) for each in parts.values()}) != 1:
        raise ValueError("parts: all methods must have the same parts")
    table = table[table["method"].isin(list(parts))]
    names = table["method"].astype(str)
    for part in next(iter(parts.values())):
        order = list(dict.fromkeys(each[part] for each in parts.values()))
        labels = names.map({name: each[part] for name, each in parts.items()})
        table = table.assign(**{part: pd.Categorical(labels, order)})
    return table


def count_gains(gains: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The numbers of pairs of problem and width with the interval below 1, above 1, or neither.

    Args:
        gains: rows of `hrta.study.analysis.races.gains`, `with_parts`.
        by: parts.

    Returns:
        Table of the parts, better, worse, undecided and ratio: the geometric mean over the pairs of
        ratios clipped to the range of losses in `LIMITS`, so that diverged runs count.
    """
    from scipy.stats import gmean

    most = LIMITS[1] / LIMITS[0]
    scored = gains.assign(
        better=gains["ratio_high"] < 1,
        worse=gains["ratio_low"] > 1,
        ratio=gains["ratio"].clip(1 / most, most),
    )
    scored["undecided"] = ~(scored["better"] | scored["worse"])
    groups = scored.groupby(list(by), observed=True)
    table = groups[["better", "worse", "undecided"]].sum()
    table["ratio"] = groups["ratio"].agg(lambda ratios: gmean(np.asarray(ratios)))
    return table.reset_index()


def readable_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """The rows of `count_gains` as text."""
    text = counts.assign(ratio=counts["ratio"].map("{:.3g}".format))
    return text.rename(columns={"ratio": "mean ratio"})


def readable_grid(
    gains: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], problems: Labels
) -> pd.DataFrame:
    """The ratios as text, by `marked_ratio`; a row and a column for each combination of parts.

    – means not run.

    Args:
        gains: rows of `hrta.study.analysis.races.gains`, `with_parts`.
        rows, columns: names of parts, or "problem", or "width".
        problems: label of each problem, in order.
    """
    labels = gains["problem"].astype(str).map(problems)
    order = pd.Categorical(labels, list(problems.values()))
    table = gains.assign(problem=order, text=marked_ratios(gains))
    wide = table.pivot(index=list(rows), columns=list(columns), values="text")
    wide = wide.sort_index(axis=0).sort_index(axis=1)
    names = [name if isinstance(name, tuple) else (name,) for name in wide.columns]
    wide.columns = [", ".join(map(str, name)) for name in names]
    return wide.fillna(MISSING).reset_index()
