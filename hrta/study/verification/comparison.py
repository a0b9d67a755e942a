"""A fresh run against the reference, number by number."""

from collections.abc import Mapping

import pandas as pd

from hrta.study.analysis.agreement import FALSE_ALARM, Close
from hrta.study.claims.kinds import KINDS
from hrta.study.verification.tuning import RACED, about_choices, tuned


def side_by_side(kind: str, reference: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Both tables side by side, the fresh columns' names with a * behind.

    Raises:
        ValueError: rows or columns that only one of them has, or a column without a rule.
    """
    key = list(KINDS[kind].key)
    if odd := sorted(set(reference) ^ set(fresh)):
        raise ValueError(
            f"verification: {kind}: only one of the two has the column {', '.join(odd)}"
        )
    # Whether a candidate was chosen is compared by `tuned`.
    if unknown := sorted(set(reference) - {*key, *KINDS[kind].rules, "chosen"}):
        raise ValueError(f"verification: no rule for {kind}.{unknown[0]}")
    both = reference.merge(fresh, on=key, how="outer", suffixes=("", "*"), indicator=True)
    for side, whose in (("left_only", "reference"), ("right_only", "fresh run")):
        alone = both.loc[both["_merge"] == side, key]
        if len(alone):
            raise ValueError(
                f"verification: {kind}: {len(alone)} rows are only in the {whose}, the first "
                f"{named(alone.iloc[0])}"
            )
    return both.drop(columns="_merge")


def named(row: pd.Series) -> str:
    """The columns that a row has, with their values."""
    return ", ".join(f"{name} {value}" for name, value in row.items() if pd.notna(value))


def compare(
    reference: Mapping[str, pd.DataFrame], fresh: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """All deviations of a fresh run from the reference.

    The runs of a race are compared where both were tuned to the same parameters.

    Args:
        reference: the evidence by kind, as `hrta.study.claims.evidence.collect` makes it.
        fresh: likewise.

    Returns:
        Table of kind, quantity, check, units (how far apart in units of what is allowed; above 1
        is disagreement), reference, fresh, and the columns of the kinds' keys.

    Raises:
        ValueError: kinds, rows or columns that only one of them has.
    """
    if odd := sorted(set(reference) ^ set(fresh)):
        raise ValueError(f"verification: only one of the two has {', '.join(odd)}")
    pairs = {kind: side_by_side(kind, table, fresh[kind]) for kind, table in reference.items()}
    found = []
    if "tuning" in pairs:
        choices = tuned(pairs["tuning"])
        found.append(about_choices(choices))
        alike = choices.loc[choices["reference"] == choices["fresh"], RACED]
        if "races" in pairs:
            pairs["races"] = pairs["races"].merge(alike, on=RACED)
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
        away = rule.deviations(table, FALSE_ALARM / max(tests, 1), KINDS[kind].cell)
        away = away.drop(columns="size", errors="ignore")
        found.append(away.assign(kind=kind, quantity=column))
    return pd.concat(found, ignore_index=True)


def summary(deviations: pd.DataFrame) -> pd.DataFrame:
    """The worst of each kind and quantity: how many numbers, which check, how far, agree or not."""
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
    """The worst deviations that are not allowed, one line each, the worst first."""
    worst = deviations[deviations["units"] > 1].sort_values("units", ascending=False, kind="stable")
    facts = ["kind", "quantity", "check", "units", "reference", "fresh"]
    return [
        f"{row.kind}.{row.quantity}, {row.check}: {named(row.drop(facts))}: {row.fresh:.6g} here, "
        f"{row.reference:.6g} in the reference, {row.units:.3g} times what is allowed"
        for _, row in worst.head(most).iterrows()
    ]
