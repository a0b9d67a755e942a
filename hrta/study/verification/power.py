"""The smallest differences that a verification finds, table by table."""

import numpy as np

from hrta.study.analysis.agreement import Close, Same
from hrta.study.analysis.shifts import FALSE_ALARM
from hrta.study.config.claims import Claims
from hrta.study.verification.comparison import Quantity, level_of, paired
from hrta.study.verification.reference import Replication
from hrta.study.verification.verdicts import claim_ratios, ratio_quantity

# The part of the numbers, or cells, in which the difference is found.
PART, HALF = 0.95, 0.5
# Differences in decades between which the smallest is searched, by repeated bisection.
LEAST, MOST, STEPS = 1e-4, 15.0, 12
# The references that share the probability of a false alarm.
REFERENCES = 2


def power_table(reference: Replication, other: Replication, claims: Claims) -> str:
    """The smallest differences that are found with probability `PART`, as a table in Markdown.

    To the numbers of the other run, as chance made them, a difference is added: to one seed of each
    cell; to all seeds of a cell; to the whole table. It is a factor, or its inverse, for numbers
    that are compared by their logarithms, else a difference.

    Args:
        reference: a replication.
        other: a replication that differs from it by chance.
        claims: the claims, whose paired ratios are compared.
    """
    pairs = paired(reference.tables, other.tables)[0]
    ratios = (claim_ratios(claims, each.tables) for each in (reference, other))
    pairs.append(ratio_quantity(*ratios))
    level = level_of(pairs, FALSE_ALARM / REFERENCES)
    lines = [
        "| numbers | one, in half of the cells | one | all of a cell | all of them |",
        "| --- | --- | --- | --- | --- |",
    ]
    for each in pairs:
        lines.append(f"| {each.kind}.{each.name} | {' | '.join(smallest(each, level))} |")
    return "\n".join(lines) + "\n"


def smallest(quantity: Quantity, level: float) -> list[str]:
    """The smallest differences of a number, a cell and a table that are found, as text."""
    if isinstance(quantity.rule, Same):
        return ["any"] * 4
    if isinstance(quantity.rule, Close):
        return [f"{quantity.rule.tolerance:.0e} of the largest"] * 4
    scopes = [("cell", PART), ("table", PART)]
    if quantity.rule.runs:
        scopes = [("number", HALF), ("number", PART), *scopes]
    found = [
        _text(quantity.rule.scale, _search(quantity, level, scope, part)) for scope, part in scopes
    ]
    return [""] * (4 - len(found)) + found


def _search(quantity: Quantity, level: float, scope: str, part: float) -> float:
    """The smallest difference in decades that is found in this part; infinite if none is."""
    low, high = LEAST, MOST
    if _found(quantity, high, level, scope) < part:
        return np.inf
    for _ in range(STEPS):
        middle = np.sqrt(low * high)
        if _found(quantity, middle, level, scope) < part:
            low = middle
        else:
            high = middle
    return high


def _found(quantity: Quantity, decades: float, level: float, scope: str) -> float:
    """The fraction of the numbers, cells or tables in which this difference is found."""
    signs = (1, -1) if scope == "table" else (1,)
    return min(_share(quantity, sign * decades, level, scope) for sign in signs)


def _share(quantity: Quantity, decades: float, level: float, scope: str) -> float:
    pairs, cell = quantity.pairs, list(quantity.cell)
    numbers = pairs.groupby(cell, dropna=False, sort=False)
    chosen = np.isfinite(pairs["reference"]).to_numpy() & (pairs["reference"] != 0).to_numpy()
    if scope == "number":
        chosen = chosen & (numbers.cumcount() == numbers[cell[0]].transform("size") // 2).to_numpy()
    fresh = pairs["fresh"].to_numpy(dtype=float)
    size = 1.0
    if quantity.rule.scale == "relative":
        size = np.log(10) * pairs["reference"].abs().groupby(numbers.ngroup()).transform("median")
    shifted = fresh * 10**decades if quantity.rule.scale == "log" else fresh + decades * size
    altered = pairs.assign(fresh=np.where(chosen, shifted, fresh))
    found = quantity.rule.deviations(altered, level, quantity.cell)
    if scope == "table":
        return float((found["units"] > 1).any())
    if scope == "number":
        return float((found.loc[found["check"] == "run", "units"].to_numpy()[chosen] > 1).mean())
    # Rows of groups of cells lack columns that every cell has.
    every = [name for name in cell if pairs[name].notna().all()]
    found = found[found[every].notna().all(axis=1) & found["check"].isin(["run", "median", "mean"])]
    found = found.merge(pairs.loc[chosen, cell].drop_duplicates(), on=cell)
    return float((found.groupby(cell, dropna=False)["units"].max() > 1).mean())


def _text(scale: str, decades: float) -> str:
    """The difference as a factor, or, for fractions and logarithms, as it is."""
    if np.isinf(decades):
        return "none"
    if scale == "absolute":
        return f"{decades:.2g}"
    if scale == "relative":
        return f"{100 * decades * np.log(10):.2g} % of the median"
    factor = 10**decades
    return f"{100 * (factor - 1):.2g} %" if factor < 2 else f"× {factor:.2g}"
