"""Comparison of a replication with the reference, number by number."""

from collections.abc import Mapping

import pandas as pd

from hrta.study.analysis.agreement import FALSE_ALARM, Close
from hrta.study.claims.kinds import KINDS
from hrta.study.verification.tuning import RACED, about_choices, tuned


def side_by_side(kind: str, reference: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Both tables merged by key; the names of the fresh columns end in *.

    Raises:
        ValueError: rows or columns that only one of the tables has, or a column without a rule.
    """
    key = list(KINDS[kind].key)
    if unpaired := sorted(set(reference) ^ set(fresh)):
        raise ValueError(
            f"verification: {kind}: only one of the two has the column {', '.join(unpaired)}"
        )
    # Whether a candidate was chosen is compared by `tuned`.
    if unknown := sorted(set(reference) - {*key, *KINDS[kind].rules, "chosen"}):
        raise ValueError(f"verification: no rule for {kind}.{unknown[0]}")
    both = reference.merge(fresh, on=key, how="outer", suffixes=("", "*"), indicator=True)
    for side, whose in (("left_only", "reference"), ("right_only", "fresh run")):
        unmatched = both.loc[both["_merge"] == side, key]
        if len(unmatched):
            raise ValueError(
                f"verification: {kind}: {len(unmatched)} rows are only in the {whose}, the first "
                f"{named(unmatched.iloc[0])}"
            )
    return both.drop(columns="_merge")


def named(row: pd.Series) -> str:
    """The columns of a row that are not missing, with their values."""
    return ", ".join(f"{name} {value}" for name, value in row.items() if pd.notna(value))


def part_of(
    reference: Mapping[str, pd.DataFrame], fresh: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """The rows of the reference that a replication of some of the items has, too."""
    return {
        kind: reference[kind].merge(table[list(KINDS[kind].key)])
        for kind, table in fresh.items()
        if kind in reference
    }


def compare(
    reference: Mapping[str, pd.DataFrame], fresh: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """All deviations of a replication from the reference.

    The runs of a race are compared if both methods were tuned to the same parameters.

    Args:
        reference: evidence by kind, as `hrta.study.claims.evidence.collect` returns it.
        fresh: evidence of the replication, likewise.

    Returns:
        Table of kind, quantity, check, units (the deviation in units of the tolerance; above 1 the
        two disagree), reference, fresh, and the columns of the kinds' keys.

    Raises:
        ValueError: kinds, rows or columns that only one of the two has.
    """
    if unpaired := sorted(set(reference) ^ set(fresh)):
        raise ValueError(f"verification: only one of the two has {', '.join(unpaired)}")
    pairs = {kind: side_by_side(kind, table, fresh[kind]) for kind, table in reference.items()}
    found = []
    if "tuning" in pairs:
        choices = tuned(pairs["tuning"])
        found.append(about_choices(choices))
        same = choices.loc[choices["reference"] == choices["fresh"], RACED]
        if "races" in pairs:
            pairs["races"] = pairs["races"].merge(same, on=RACED)
    rules = {
        (kind, column): KINDS[kind].rules[column]
        for kind, table in pairs.items()
        for column in table
        if column in KINDS[kind].rules
    }
    tests = sum(rule.tests(pairs[kind], KINDS[kind].cell) for (kind, _), rule in rules.items())
    for (kind, column), rule in rules.items():
        table = pairs[kind][[*KINDS[kind].key, column, f"{column}*"]]
        table = table.rename(columns={column: "reference", f"{column}*": "fresh"})
        if isinstance(rule, Close) and rule.of:
            table = table.assign(size=pairs[kind][rule.of])
        deviations = rule.deviations(table, FALSE_ALARM / max(tests, 1), KINDS[kind].cell)
        deviations = deviations.drop(columns="size", errors="ignore")
        found.append(deviations.assign(kind=kind, quantity=column))
    return pd.concat(found, ignore_index=True)


def summary(deviations: pd.DataFrame) -> pd.DataFrame:
    """For each kind and quantity the count of numbers, and the check with the worst deviation."""
    rows = []
    for (kind, quantity), part in deviations.groupby(["kind", "quantity"], sort=False):
        worst = part["units"].max()
        rows.append(
            {
                "kind": kind,
                "quantity": quantity,
                "numbers": int(part["check"].isin(["run", "value", "choice"]).sum()),
                "check": part.loc[part["units"].idxmax(), "check"] if worst > 0 else "",
                "worst, in tolerances": float(f"{worst:.2g}"),
                "agree": "yes" if worst <= 1 else "no",
            }
        )
    return pd.DataFrame(rows)


def disagreements(deviations: pd.DataFrame, most: int = 10) -> list[str]:
    """The worst deviations above the tolerance, one line each, in descending order."""
    worst = deviations[deviations["units"] > 1].sort_values("units", ascending=False, kind="stable")
    facts = ["kind", "quantity", "check", "units", "reference", "fresh"]
    return [
        f"{row.kind}.{row.quantity}, {row.check}: {named(row.drop(facts))}: {row.fresh:.6g} here, "
        f"{row.reference:.6g} in the reference, {row.units:.3g} times what is allowed"
        for _, row in worst.head(most).iterrows()
    ]
