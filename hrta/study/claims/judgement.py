"""Verdicts on the claims, from the evidence."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from hrta.study.analysis.schema import CLAIM_CELL
from hrta.study.claims.evidence import read_kind
from hrta.study.claims.kinds import KINDS
from hrta.study.claims.ratios import as_text, cell_of, chosen
from hrta.study.claims.verdicts import RULES, any_of, judge, overall
from hrta.study.config.claims import Claim, Claims, Evidence


def read_judged(folder: str | Path, claims: Claims) -> dict[str, pd.DataFrame]:
    """The tables that the claims are judged on, from a folder of <table>.parquet.

    Raises:
        ValueError: a table that is missing, no whole Parquet, or without a column that is needed.
    """
    tables = {}
    for name in claims.tables:
        tables[name] = read_kind(folder, name)
        for column in (*KINDS[name].key, *KINDS[name].reading.columns):
            if column not in tables[name]:
                raise ValueError(f"{Path(folder, name)}.parquet: there is no column {column!r}")
    return tables


def log_ratios(evidence: pd.DataFrame, judged: Evidence, where: str) -> pd.DataFrame:
    """The log ratios that a claim is judged on, a row for each cell and seed.

    Args:
        evidence: the table that `judged` names.
        judged: an entry of the claim's `judged_on`.
        where: its key, for messages.

    Returns:
        Table of `CLAIM_CELL`, as text, and log_ratio. Two diverged runs, or two losses or
        eigenvalues that are 0, are a tie.

    Raises:
        ValueError: a name or a number that the evidence does not have, a run without its partner,
            or nothing to compare.
    """
    reading = KINDS[judged.table].reading
    known = [name for name in reading.measures if name in evidence]
    for measure in judged.measures if reading.measures else ():
        if measure not in known:
            allowed = ", ".join(known)
            raise ValueError(f"{where}.measures: {measure!r} given; the evidence has {allowed}")
    evidence = chosen(evidence, reading.problem, judged, "problems", where)
    ratios = reading.ratios(evidence, judged, where)
    if len(ratios) == 0:
        raise ValueError(f"{where}: the evidence has nothing to compare")
    texts = {name: ratios[name].map(as_text) if name in ratios else "" for name in CLAIM_CELL}
    ratios = ratios.assign(**texts)
    missing = ratios[ratios["log_ratio"].isna()]
    if len(missing):
        cell = cell_of(missing.iloc[0])
        raise ValueError(f"{where}: a number is missing or negative: {cell}")
    return ratios[[*CLAIM_CELL, "log_ratio"]]


def evaluate(claims: Claims, evidence: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The verdict on each cell of each claim.

    Args:
        claims: what is judged, and how.
        evidence: its tables by name.

    Returns:
        One row for each cell: claim, `CLAIM_CELL`, pairs (seeds; 1 for exact numbers), ratio, low,
        high, p, p_holm and verdict, as `hrta.study.claims.verdicts.judge` makes them.

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
        for cell, each in ratios.groupby(CLAIM_CELL, sort=False):
            ratio = RULES[judged.rule](each["log_ratio"].to_numpy())
            rows.append((*cell, len(each), *ratio))
    return pd.DataFrame(rows, columns=[*CLAIM_CELL, "pairs", "ratio", "low", "high", "p"])


def verdict(claim: Claim, cells: pd.DataFrame) -> str:
    """The verdict on a whole claim from those on its cells."""
    if claim.any_of is None:
        return overall(cells["verdict"])
    return any_of(overall(each["verdict"]) for _, each in cells.groupby(claim.any_of))
