"""Relative errors of networks with adaptive slopes."""

import numpy as np
import pandas as pd

from hrta.study.analysis.comparison import compare
from hrta.study.analysis.schema import MEDIAN, SLOPE_CELL, Labels
from hrta.study.analysis.tables import intervals, labelled, ordered, ratios_to


def relative_errors(solutions: pd.DataFrame) -> pd.DataFrame:
    """|f - y| / |y| (Euclidean, over the points) of every run at every kept step.

    Args:
        solutions: rows of `SLOPE_SOLUTIONS`.

    Returns:
        Table of experiment, variant, step, seed, error; infinite where f is not finite.
    """
    run = [*SLOPE_CELL, "seed"]
    squares = solutions[run].assign(
        deviation=(solutions["prediction"] - solutions["y"]).fillna(np.inf) ** 2,
        size=solutions["y"] ** 2,
    )
    sums = squares.groupby(run, observed=True, sort=False).sum().reset_index()
    sums["error"] = np.sqrt(sums["deviation"] / sums["size"])
    return sums.drop(columns=["deviation", "size"])


def compare_errors(errors: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The errors of each variant and step against those of the baseline, as `compare`.

    Args:
        errors: rows of `relative_errors`.
        baseline: name of a variant.

    Raises:
        ValueError: a run without a run of the baseline with the same seed.
    """
    table = compare(errors, baseline, "error", SLOPE_CELL, by="variant")
    return table.drop(columns="diverged")


def readable_errors(
    compared: pd.DataFrame, variants: Labels, experiments: Labels, baseline: str
) -> pd.DataFrame:
    """The rows of `compare_errors` as text, with `marked_ratio`, in the order of the variants."""
    place = ordered(compared["variant"], variants)
    table = compared.assign(place=place).sort_values(["experiment", "step", "place"])
    return pd.DataFrame(
        {
            "problem": labelled(table["experiment"], experiments),
            "steps": table["step"],
            "activation": labelled(table["variant"], variants),
            "relative error [95 %]": intervals(table, MEDIAN, ".3g"),
            f"ratio to {variants[baseline]} [95 %]": ratios_to(table, "variant", baseline),
        }
    ).reset_index(drop=True)
