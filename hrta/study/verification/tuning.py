"""Check and comparison of the tuned parameters of a race's methods in two replications."""

import numpy as np
import pandas as pd

from hrta.study.analysis.agreement import SIDES
from hrta.study.analysis.schema import RACE_CELL

RACED = ["race", *RACE_CELL]
# The fraction of a race's cells that may be tuned differently.
TOLERATED = 0.1
# Two candidates with nearly equal tuning losses: medians over the seeds of the race may differ by
# this many decades and spreads of the reference. Between three replications the 88 cells that were
# tuned otherwise used at most four fifths of it.
DECADES, SPREADS = 1.0, 2.0


def tuned(tuning: pd.DataFrame) -> pd.DataFrame:
    """The number of the candidate that was chosen for each method of a race.

    It is -1 if another candidate has better losses, or not all seeds are marked as chosen.

    Args:
        tuning: merged rows of the reference and the fresh run, whose columns end in *.

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
    """Whether the choices are correct, and whether enough of each race are the same.

    Args:
        choices: rows of `tuned`.

    Returns:
        Deviations, as those of `hrta.study.verification.comparison.compare`: one row for each
        choice, and one for each race with the check "otherwise", where fresh is the fraction of its
        cells that were tuned differently.
    """
    wrong = (choices["reference"] < 0) | (choices["fresh"] < 0)
    each = choices.assign(check="choice", units=np.where(wrong, np.inf, 0.0))
    different = choices["reference"] != choices["fresh"]
    share = different.groupby(choices["race"]).mean().rename("fresh").reset_index()
    whole = share.assign(check="otherwise", reference=0.0, units=share["fresh"] / TOLERATED)
    return pd.concat([each, whole], ignore_index=True).assign(kind="tuning", quantity="chosen")


def otherwise(runs: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Whether the medians of cells that were tuned otherwise are near one another.

    Args:
        runs: the runs of these cells, with reference and fresh.
        quantity: name of their column.

    Returns:
        A row for each cell, as those of `about_choices`, with the check "tuned otherwise".
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(runs[SIDES]).replace([np.inf, -np.inf], np.nan)
    spread = logs["reference"].groupby([runs[name] for name in RACED]).std()
    medians = runs.groupby(RACED)[SIDES].median()
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.log10(medians["fresh"] / medians["reference"]).abs()
    apart = apart.mask(medians["fresh"] == medians["reference"], 0.0).fillna(np.inf)
    units = apart / (DECADES + SPREADS * spread.fillna(0.0))
    rows = medians.assign(units=units, check="tuned otherwise").reset_index()
    return rows.assign(kind="races", quantity=quantity)


def tuned_otherwise(deviations: pd.DataFrame) -> list[str]:
    """The number of cells of each race that were tuned differently."""
    choices = deviations[deviations["check"] == "choice"]
    if choices.empty:
        return []
    different = (choices["reference"] != choices["fresh"]).groupby(choices["race"])
    return [
        f"{race}: {row['sum']} of {row['size']} cells were tuned otherwise; compared by medians"
        for race, row in different.agg(["sum", "size"]).iterrows()
    ]
