"""What the methods of a race were tuned to, in two runs: whether rightly, and whether alike."""

import numpy as np
import pandas as pd

from hrta.study.analysis.schema import RACE_CELL

RACED = ["race", *RACE_CELL]
# The share of a race's cells that may be tuned differently.
OTHERWISE = 0.1


def tuned(tuning: pd.DataFrame) -> pd.DataFrame:
    """The number of the candidate that each method of a race was tuned to.

    It is -1 if it is not the one with the best losses, or not marked as chosen for all its seeds.

    Args:
        tuning: the rows of both runs side by side, the fresh columns' names with a * behind.

    Returns:
        Table of race, problem, width, method, reference, fresh.
    """
    sides = {}
    for side, mark in (("reference", ""), ("fresh", "*")):
        named = tuning.assign(taken=tuning[f"chosen{mark}"], final=tuning[f"loss{mark}"])
        candidates = named.groupby([*RACED, "candidate"]).agg(
            worst=("final", "max"),
            median=("final", "median"),
            chosen=("taken", "any"),
            by_all=("taken", "all"),
        )
        candidates["diverged"] = np.isinf(candidates["worst"])
        candidates = candidates.sort_values(["diverged", "median"], kind="stable").reset_index()
        cells = candidates.groupby(RACED)
        best, number = cells.first(), cells["chosen"].sum()
        sides[side] = best["candidate"].where(best["by_all"] & (number == 1), -1)
    return pd.DataFrame(sides).reset_index()


def about_choices(choices: pd.DataFrame) -> pd.DataFrame:
    """Whether the choices are right, and whether enough of each race are the same.

    Args:
        choices: rows of `tuned`.

    Returns:
        Deviations, as those of `hrta.study.verification.comparison.compare`: one row for each
        choice, and one for each race, the check otherwise, with the share of its cells that were
        tuned differently under fresh.
    """
    wrong = (choices["reference"] < 0) | (choices["fresh"] < 0)
    each = choices.assign(check="choice", units=np.where(wrong, np.inf, 0.0))
    different = choices["reference"] != choices["fresh"]
    share = different.groupby(choices["race"]).mean().rename("fresh").reset_index()
    whole = share.assign(check="otherwise", reference=0.0, units=share["fresh"] / OTHERWISE)
    return pd.concat([each, whole], ignore_index=True).assign(kind="tuning", quantity="chosen")


def left_out(deviations: pd.DataFrame) -> list[str]:
    """How many cells of each race are not compared as they were tuned differently, a line each."""
    choices = deviations[deviations["check"] == "choice"]
    if choices.empty:
        return []
    different = (choices["reference"] != choices["fresh"]).groupby(choices["race"])
    return [
        f"{race}: {row['sum']} of {row['size']} cells were tuned otherwise and are left out"
        for race, row in different.agg(["sum", "size"]).iterrows()
    ]
