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
    """The evidence that the claims are judged on, by kind, from a folder of <kind>.parquet.

    Raises:
        ValueError: a file that is missing, incomplete, or without a required column.
    """
    tables = {}
    for name in claims.tables:
        tables[name], reading = read_kind(folder, name), KINDS[name].reading
        if reading is None:
            raise ValueError(f"{name}: no claim can be judged on this kind of evidence")
        for column in (*KINDS[name].key, *reading.columns):
            if column not in tables[name]:
                raise ValueError(f"{Path(folder, name)}.parquet: no column {column!r}")
    return tables


def log_ratios(evidence: pd.DataFrame, judged: Evidence, where: str) -> pd.DataFrame:
    """The log ratios that a claim is judged on, one row for each cell and seed.

    Args:
        evidence: evidence of the kind that `judged` names.
        judged: an entry of the claim's `judged_on`.
        where: its key, for messages.

    Returns:
        Table of `CLAIM_CELL`, as text, seed and log_ratio. Two diverged runs, or two losses or
        eigenvalues of 0, are a tie.

    Raises:
        ValueError: a name or a number that is not in the evidence, a run without a run of the
            baseline with the same seed, or no runs.
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
        raise ValueError(f"{where}: the evidence has no runs to compare")
    texts = {name: ratios[name].map(as_text) if name in ratios else "" for name in CLAIM_CELL}
    ratios = ratios.assign(**texts)
    missing = ratios[ratios["log_ratio"].isna()]
    if len(missing):
        cell = cell_of(missing.iloc[0])
        raise ValueError(f"{where}: a number is missing or negative: {cell}")
    return ratios[[*CLAIM_CELL, "seed", "log_ratio"]]


def evaluate(claims: Claims, evidence: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The verdict on each cell of each claim.

    Args:
        claims: the claims and their rules.
        evidence: the evidence by kind.

    Returns:
        One row for each cell: claim, `CLAIM_CELL`, pairs (seeds; 1 for exact numbers), ratio, low,
        high, p, p_holm and verdict, as `hrta.study.claims.verdicts.judge` makes them.

    Raises:
        ValueError: a claim names something that the evidence does not have; the message has the
            key.
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
