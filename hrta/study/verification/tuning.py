"""What the methods of a race were tuned to, in two runs: whether rightly, and whether alike."""

import numpy as np
import pandas as pd

from hrta.study.analysis.schema import RACE_CELL

RACED = ["race", *RACE_CELL]
# The share of a race's cells that may be tuned differently.
OTHERWISE = 0.1


def tuned(tuning: pd.DataFrame) -> pd.DataFrame:
    """What each method of a race was tuned to: the number of the candidate, or -1 if that is not
    the one that the losses speak for, or not all its seeds say so.

    Args:
        tuning: the rows of both runs side by side, the fresh columns' names with a * behind.

    Returns:
        Table of race, problem, width, method, reference, fresh.
    """
    sides = {}
    for side, mark in (("reference", ""), ("fresh", "*")):
        named = tuning.assign(taken=tuning[f"chosen{mark}"], final=tuning[f"loss{mark}"])
        losses = named.groupby([*RACED, "candidate"])
        table = losses.agg(
            worst=("final", "max"),
            median=("final", "median"),
            taken=("taken", "max"),
            by_all=("taken", "min"),
        ).assign(diverged=lambda table: np.isinf(table["worst"]))
        ordered = table.sort_values(["diverged", "median"], kind="stable").reset_index()
        best = ordered.groupby(RACED)["candidate"].first()
        taken = ordered[ordered["taken"]].groupby(RACED)
        taken = taken.agg(
            one=("candidate", "first"), size=("candidate", "size"), all=("by_all", "min")
        )
        taken = taken.reindex(best.index)
        right = (taken["one"] == best) & (taken["size"] == 1) & taken["all"].eq(True)
        sides[side] = taken["one"].where(right, -1)
    return pd.DataFrame(sides).reset_index()


def about_choices(choices: pd.DataFrame) -> pd.DataFrame:
    """Whether the choices are right, and whether enough of each race are the same.

    Args:
        choices: as `tuned` makes it.

    Returns:
        Deviations, as those of `hrta.study.verification.comparison.compare`; of each race one row
        more, the check otherwise, with the part that was tuned otherwise under fresh.
    """
    wrong = (choices["reference"] < 0) | (choices["fresh"] < 0)
    each = choices.assign(check="choice", units=np.where(wrong, np.inf, 0.0))
    odd = choices["reference"] != choices["fresh"]
    share = odd.groupby(choices["race"]).mean().rename("fresh").reset_index()
    whole = share.assign(check="otherwise", reference=0.0, units=share["fresh"] / OTHERWISE)
    return pd.concat([each, whole], ignore_index=True).assign(kind="tuning", quantity="chosen")


def left_out(deviations: pd.DataFrame) -> list[str]:
    """How many cells of each race are not compared for they were tuned otherwise, a line each.

    Args:
        deviations: as `hrta.study.verification.comparison.compare` makes them.
    """
    choices = deviations[deviations["check"] == "choice"]
    if choices.empty:
        return []
    odd = (choices["reference"] != choices["fresh"]).groupby(choices["race"])
    return [
        f"{race}: {row['sum']} of {row['size']} cells were tuned otherwise and are left out"
        for race, row in odd.agg(["sum", "size"]).iterrows()
    ]
