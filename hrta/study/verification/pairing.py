"""Whether a fresh run pairs with the reference by seed as another reference does.

Where rounding is amplified little, the seeds' order by their losses is nearly the same in two
replications. If that holds between two references, it must hold for the fresh run, too; else its
seeds are others, or in another order.
"""

import numpy as np
import pandas as pd

from hrta.study.analysis.agreement import SIDES
from hrta.study.analysis.draws import Drawn
from hrta.study.verification.comparison import Quantity, level_of

# A correlation of fewer seeds says little.
FEWEST = 10
# Correlations count up to this one: Fisher's transformation is normal far from 1 alone.
HIGHEST = 0.8


def correlations(quantity: Quantity) -> pd.DataFrame:
    """Spearman's correlation over seeds between two replications in each cell of enough seeds.

    Returns:
        Table of the columns of the cell and z, the correlation after Fisher's transformation in
        units of its standard error, sqrt(1.06 / (k - 3)) for k seeds.

    Source: Fieller, Hartley and Pearson (1957), Biometrika 44, 470-481.
    """
    pairs, cell = quantity.pairs, list(quantity.cell)
    pairs = pairs[pairs[SIDES].notna().all(axis=1)]
    cells = pairs.groupby(cell, dropna=False, sort=False)
    ranks = cells[SIDES].rank()
    numbers = cells.ngroup()
    ranks -= ranks.groupby(numbers).transform("mean")
    products = pd.DataFrame(
        {"both": ranks.prod(axis=1), "a": ranks["reference"] ** 2, "b": ranks["fresh"] ** 2}
    )
    sums = products.groupby(numbers).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (sums["both"] / np.sqrt(sums["a"] * sums["b"])).clip(-HIGHEST, HIGHEST)
    count = numbers.value_counts().sort_index()
    error = np.sqrt(1.06 / (count.clip(lower=FEWEST) - 3))
    known = (count >= FEWEST) & r.notna()
    names = pairs.loc[~numbers.duplicated(), cell].reset_index(drop=True)
    return names.assign(z=np.arctanh(r) / error)[known]


def pairings(
    fresh: list[Quantity], known: list[Quantity], false_alarm: float
) -> list[pd.DataFrame]:
    """The deviations of `pairing` for all quantities of which two references are known."""
    others = {(each.kind, each.name): each for each in known}
    level = level_of(fresh, false_alarm)
    return [
        pairing(each, others[each.kind, each.name], level)
        for each in fresh
        if isinstance(each.rule, Drawn) and (each.kind, each.name) in others
    ]


def pairing(fresh: Quantity, known: Quantity, level: float) -> pd.DataFrame:
    """Whether the correlations with the fresh run are as high as those of two references.

    The difference of two z has at most the variance 2. Cells, cells that are near one another, and
    the table are compared.

    Args:
        fresh: the reference and the fresh run.
        known: the reference and another.
        level: of each test.

    Returns:
        Deviations with the check "pairing"; reference and fresh are sums of z over sqrt(count).
    """
    from scipy.stats import norm

    cell, rule = list(fresh.cell), fresh.rule
    both = correlations(known).merge(correlations(fresh), on=cell, suffixes=("", "*"))
    found = []
    for columns in (cell, list(rule.near or rule.pool or cell), []):
        groups = both.groupby(columns, dropna=False) if columns else both.groupby(lambda _: 0)
        sums = groups[["z", "z*"]].sum().div(np.sqrt(groups.size()), axis=0)
        rows = sums.reset_index(drop=not columns).rename(columns={"z": "reference", "z*": "fresh"})
        lower = (rows["reference"] - rows["fresh"]).clip(lower=0)
        found.append(rows.assign(units=lower / (np.sqrt(2) * norm.isf(level))))
    return pd.concat(found, ignore_index=True).assign(
        check="pairing", kind=fresh.kind, quantity=fresh.name
    )
