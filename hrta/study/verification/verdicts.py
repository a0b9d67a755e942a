"""Comparison of the claims in two replications: the paired log ratios and the verdicts."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.study.analysis.draws import Drawn
from hrta.study.analysis.schema import CLAIM_CELL
from hrta.study.claims.judgement import log_ratios
from hrta.study.claims.verdicts import CONTRADICTED, REPRODUCED
from hrta.study.config.claims import Claims
from hrta.study.verification.comparison import Quantity

VERDICTS = "claims.csv"
CELL = ("claim", "part", *CLAIM_CELL)
# The fraction of a claim's cells, rounded up, whose verdict may change between inconclusive and
# another: a p-value or an interval at its limit.
BORDERLINE = 0.05


def claim_ratios(claims: Claims, evidence: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The log ratios that all claims are judged on, with the claim and the part of its evidence."""
    tables = [
        log_ratios(evidence[judged.table], judged, f"claims.{number}.judged_on.{part}").assign(
            claim=number, part=part
        )
        for number, claim in claims.claims.items()
        for part, judged in enumerate(claim.judged_on)
    ]
    return pd.concat(tables, ignore_index=True)


def ratio_quantity(reference: pd.DataFrame, fresh: pd.DataFrame) -> Quantity:
    """The paired log ratios of two replications, as a quantity to compare.

    Infinite ratios are left out, as diverged runs and losses of 0 are counted where they are, and
    so are cells of a single pair.

    Raises:
        ValueError: two rows of one cell and seed, or rows that only one of the two has.
    """
    key = [*CELL, "seed"]
    for table, whose in ((reference, "reference"), (fresh, "fresh run")):
        if table.duplicated(key).any():
            raise ValueError(f"verification: claims: a pair of the {whose} is there twice")
    pairs = reference.rename(columns={"log_ratio": "reference"}).merge(
        fresh.rename(columns={"log_ratio": "fresh"}), "outer", key, validate="one_to_one"
    )
    if pairs[["reference", "fresh"]].isna().any(axis=None):
        raise ValueError("verification: claims: a pair is only in one of the two")
    finite = np.isfinite(pairs[["reference", "fresh"]]).all(axis=1)
    finite &= pairs.groupby(list(CELL))["seed"].transform("size") > 1
    rule = Drawn("absolute", near=("claim",), runs=False)
    return Quantity("claims", "log_ratio", rule, CELL, pairs[finite].reset_index(drop=True))


def kept_verdicts(folder: str | Path) -> pd.DataFrame | None:
    """The verdicts that are kept with a reference; None without."""
    file = Path(folder, VERDICTS)
    if not file.is_file():
        return None
    names = dict.fromkeys(CLAIM_CELL, str)
    return pd.read_csv(file, dtype=names, keep_default_na=False, na_values={"p": "", "p_holm": ""})


def changed_verdicts(kept: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Whether the verdicts on cells are those of the reference.

    A cell that changes between reproduced and contradicted, or is in only one, disagrees; of the
    other changes of a claim's cells only few may be: those at the limit of a p-value.

    Args:
        kept: verdicts of the reference.
        found: verdicts of the fresh run, likewise.

    Returns:
        Deviations, as those of `hrta.study.verification.comparison.compare`, of the quantity
        claims.verdict; the verdicts are numbers: -1 contradicted, 1 reproduced, else 0.
    """
    numbers = {CONTRADICTED: -1.0, REPRODUCED: 1.0}
    key = ["claim", *CLAIM_CELL]
    # Own best and lowest learning rates have names of their own; no two cells have one key.
    both = kept[[*key, "verdict"]].merge(
        found[[*key, "verdict"]], "outer", key, suffixes=("", "*"), validate="one_to_one"
    )
    sides = {
        "reference": both["verdict"].map(numbers).where(both["verdict"] != "inconclusive", 0.0),
        "fresh": both["verdict*"].map(numbers).where(both["verdict*"] != "inconclusive", 0.0),
    }
    cells = both[key].assign(**sides)
    apart = (cells["fresh"] - cells["reference"]).abs()
    opposite = cells.assign(check="verdict", units=np.where(apart < 2, 0.0, np.inf))
    claim = (apart > 0).groupby(cells["claim"])
    allowed = np.ceil(BORDERLINE * claim.size())
    changed = claim.sum().rename("fresh").reset_index().assign(reference=0.0)
    changed = changed.assign(check="verdicts", units=(claim.sum() / allowed).to_numpy())
    return pd.concat([opposite, changed], ignore_index=True).assign(
        kind="claims", quantity="verdict"
    )
