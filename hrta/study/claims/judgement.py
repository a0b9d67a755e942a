"""Verdicts on the claims, from the evidence."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from hrta.runtime.files import read_tables
from hrta.study.claims.cells import CELL, COLUMNS, log_ratios
from hrta.study.claims.verdicts import RULES, any_of, judge, overall
from hrta.study.config.claims import Claim, Claims


def read_judged(folder: str | Path, claims: Claims) -> dict[str, pd.DataFrame]:
    """The tables that the claims are judged on, from a folder of <table>.parquet.

    Raises:
        ValueError: a table that is missing, no whole Parquet, or without a column that is needed.
    """
    tables = {}
    for name in claims.tables:
        file = Path(folder, f"{name}.parquet")
        table = read_tables(file)
        for column in COLUMNS[name]:
            if column not in table:
                raise ValueError(f"{file}: there is no column {column!r}")
        tables[name] = table.astype(dict.fromkeys(table.select_dtypes("category"), str))
    return tables


def evaluate(claims: Claims, evidence: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The verdict on each cell of each claim.

    Args:
        claims: what is judged, and how.
        evidence: its tables by name.

    Returns:
        One row for each cell: claim, `hrta.study.claims.cells.CELL`, pairs (seeds; for what is
            exact, 1), ratio, low, high, p, p_holm and verdict, as
            `hrta.study.claims.verdicts.judge` tells.

    Raises:
        ValueError: a claim asks for what the evidence does not have, in one line with the key.
    """
    tables = [
        judge(_cells(claim, evidence, f"claims.{number}")).assign(claim=number)
        for number, claim in claims.claims.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    return table[["claim", *table.columns.drop("claim")]]


def _cells(claim: Claim, evidence: Mapping[str, pd.DataFrame], where: str) -> pd.DataFrame:
    rows = []
    for i, judged in enumerate(claim.judged_on):
        ratios = log_ratios(evidence[judged.table], judged, f"{where}.judged_on.{i}")
        for cell, each in ratios.groupby(CELL, sort=False):
            statistics = RULES[judged.rule](each["log_ratio"].to_numpy())
            rows.append(dict(zip(CELL, cell, strict=True)) | {"pairs": len(each)} | statistics)
    return pd.DataFrame(rows)


def verdict(claim: Claim, cells: pd.DataFrame) -> str:
    """The verdict on a whole claim from those on its cells."""
    if claim.any_of is None:
        return overall(cells["verdict"])
    return any_of(overall(each["verdict"]) for _, each in cells.groupby(claim.any_of))
