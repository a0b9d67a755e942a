"""How far the functions that adaptive networks find are from the exact one."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from hrta.study.analysis.comparison import median_interval
from hrta.study.analysis.tables import marked_ratio, with_interval

CELL = ["experiment", "variant", "step"]


def relative_errors(solutions: pd.DataFrame) -> pd.DataFrame:
    """|f - y| / |y| (Euclidean, over the points) of every run at every checkpoint.

    Args:
        solutions: rows as `hrta.study.experiments.slopes.laaf_table` makes them.

    Returns:
        Table of experiment, variant, step, seed, error; infinite where f is not finite.
    """
    squares = solutions[[*CELL, "seed"]].assign(
        deviation=(solutions["prediction"] - solutions["y"]).fillna(np.inf) ** 2,
        size=solutions["y"] ** 2,
    )
    sums = squares.groupby([*CELL, "seed"], observed=True, sort=False).sum().reset_index()
    sums["error"] = np.sqrt(sums["deviation"] / sums["size"])
    return sums.drop(columns=["deviation", "size"])


def compare_errors(errors: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Median error of each variant, and its ratio to the baseline's, paired by seed.

    The ratio is 10 to the median over seeds of log10(error of the variant / of the baseline).

    Args:
        errors: rows as `relative_errors` makes them.
        baseline: name of the variant to compare with.

    Returns:
        One row for each experiment, variant and checkpoint: seeds, median, low, high, ratio,
        ratio_low, ratio_high; intervals as `hrta.study.analysis.comparison.median_interval` makes
        them.

    Raises:
        ValueError: the baseline is missing where another variant is not.
    """
    key = ["experiment", "step", "seed"]
    base = errors.loc[errors["variant"] == baseline, [*key, "error"]]
    paired = errors.merge(base, on=key, how="left", suffixes=("", "_baseline"))
    if len(paired) == 0 or paired["error_baseline"].isna().any():
        raise ValueError(f"laaf: the baseline {baseline!r} is not there for every run")
    with np.errstate(invalid="ignore", divide="ignore"):
        logarithms = np.log10(paired["error"]) - np.log10(paired["error_baseline"])
    # A pair in which both diverged says nothing about which is better.
    paired["log_ratio"] = logarithms.fillna(0)
    rows = []
    for cell, runs in paired.groupby(CELL, observed=True, sort=False):
        medians = median_interval(runs["error"].to_numpy())
        ratios = np.power(10.0, median_interval(runs["log_ratio"].to_numpy()))
        rows.append(
            dict(zip(CELL, cell, strict=True))
            | {"seeds": len(runs)}
            | dict(zip(("median", "low", "high"), medians, strict=True))
            | dict(zip(("ratio", "ratio_low", "ratio_high"), ratios, strict=True))
        )
    return pd.DataFrame(rows)


def readable_errors(
    compared: pd.DataFrame,
    variants: Mapping[str, str],
    experiments: Mapping[str, str],
    baseline: str,
) -> pd.DataFrame:
    """The rows of `compare_errors` with labels, variants in their order: median and interval.

    A ratio whose whole interval is below 1 (better than the baseline) is marked with ▼, one whose
    whole interval is above 1 with ▲.
    """
    places = {name: place for place, name in enumerate(variants)}
    order = compared["variant"].astype(str).map(places)
    ordered = compared.assign(place=order).sort_values(["experiment", "step", "place"])
    rows = []
    for row in ordered.itertuples():
        ratio = marked_ratio(row.ratio, row.ratio_low, row.ratio_high)
        rows.append(
            {
                "problem": experiments[row.experiment],
                "steps": row.step,
                "activation": variants[row.variant],
                "relative error [95 %]": with_interval(row.median, row.low, row.high, ".3g"),
                f"ratio to {variants[baseline]} [95 %]": (
                    "1" if row.variant == baseline else ratio
                ),
            }
        )
    return pd.DataFrame(rows)
