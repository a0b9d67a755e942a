"""Comparison of a replication with the reference, number by number."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hrta.study.analysis.agreement import SIDES, Close, Rule, equal
from hrta.study.analysis.shifts import FALSE_ALARM
from hrta.study.claims.kinds import KINDS
from hrta.study.verification.tables import named, side_by_side
from hrta.study.verification.tuning import RACED, about_choices, otherwise, tuned

Tables = Mapping[str, pd.DataFrame]
# The checks of single numbers.
SINGLE = ("run", "value", "choice")


@dataclass(frozen=True)
class Quantity:
    """A column of the evidence in two replications, and the rule by which they must agree.

    Attributes:
        kind, name: of the evidence, and of its column.
        rule: see `hrta.study.analysis.agreement`.
        cell: columns; rows with the same values in them differ only in their seed.
        pairs: table of a key, reference, fresh, and size where the rule needs it.
    """

    kind: str
    name: str
    rule: Rule
    cell: tuple[str, ...]
    pairs: pd.DataFrame

    def tests(self) -> int:
        """The number of statistical tests."""
        return self.rule.tests(self.pairs, self.cell)

    def deviations(self, level: float) -> pd.DataFrame:
        """The deviations in units of the tolerances, with each test at this level."""
        found = self.rule.deviations(self.pairs, level, self.cell).drop(
            columns="size", errors="ignore"
        )
        return found.assign(kind=self.kind, quantity=self.name)


def quantities(kind: str, pairs: pd.DataFrame) -> list[Quantity]:
    """The columns of merged rows of a kind that have a rule."""
    found = []
    for column, rule in KINDS[kind].rules.items():
        if column in pairs:
            table = pairs[[*KINDS[kind].key, column, f"{column}*"]]
            table = table.rename(columns={column: "reference", f"{column}*": "fresh"})
            if isinstance(rule, Close) and rule.of:
                table = table.assign(size=pairs[rule.of])
            found.append(Quantity(kind, column, rule, KINDS[kind].cell, table))
    return found


def paired(reference: Tables, fresh: Tables) -> tuple[list[Quantity], list[pd.DataFrame]]:
    """All quantities of two replications, and the deviations of the choices of the races.

    Runs of a race whose methods were tuned to different parameters are compared by their medians.

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
        alike = choices["reference"] == choices["fresh"]
        if "races" in pairs:
            races = pairs["races"]
            found += [
                otherwise(each.pairs.merge(choices.loc[~alike, RACED], on=RACED), each.name)
                for each in quantities("races", races)
                if each.name.endswith("loss")
            ]
            pairs["races"] = races.merge(choices.loc[alike, RACED], on=RACED)
    return [each for kind, table in pairs.items() for each in quantities(kind, table)], found


def compare(reference: Tables, fresh: Tables, false_alarm: float = FALSE_ALARM) -> pd.DataFrame:
    """All deviations of a replication from the reference.

    Args:
        reference: evidence by kind, as `hrta.study.claims.evidence.collect` returns it.
        fresh: evidence of the replication, likewise.
        false_alarm: probability of any disagreement of two replications that differ by chance.

    Returns:
        Table of kind, quantity, check, units (the deviation in units of the tolerance; above 1 the
        two disagree), reference, fresh, and the columns of the kinds' keys.

    Raises:
        ValueError: kinds, rows or columns that only one of the two has.
    """
    pairs, choices = paired(reference, fresh)
    return pd.concat([*choices, *tested(pairs, false_alarm)], ignore_index=True)


def tested(pairs: list[Quantity], false_alarm: float) -> list[pd.DataFrame]:
    """The deviations of all quantities, with this probability of a false alarm in any of them."""
    level = level_of(pairs, false_alarm)
    return [each.deviations(level) for each in pairs]


def level_of(pairs: list[Quantity], false_alarm: float) -> float:
    """The level of each test for this probability of a false alarm in any of them."""
    return false_alarm / max(sum(each.tests() for each in pairs), 1)


def distances(pairs: list[Quantity]) -> pd.DataFrame:
    """How far apart two replications are.

    Returns:
        Table with the index kind, quantity and the columns numbers, equal (the fraction that is
        equal bit for bit) and apart (nine tenths of the others differ by less, relatively).
    """
    rows = {}
    for each in pairs:
        values = each.pairs[SIDES].to_numpy(dtype=float)
        same = equal(values)
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.abs(values[:, 1] / values[:, 0] - 1)[~same]
        relative = relative[np.isfinite(relative)]
        apart = np.quantile(relative, 0.9) if len(relative) else 0.0
        rows[each.kind, each.name] = (len(values), same.mean() if len(values) else 1.0, apart)
    table = pd.DataFrame.from_dict(rows, "index", columns=["numbers", "equal", "apart"])
    table.index = pd.MultiIndex.from_tuples(table.index, names=["kind", "quantity"])
    return table


def summary(deviations: pd.DataFrame) -> pd.DataFrame:
    """For each kind and quantity the count of numbers, and the check with the worst deviation."""
    rows = []
    for (kind, quantity), part in deviations.groupby(["kind", "quantity"], sort=False):
        worst = part["units"].max()
        rows.append(
            {
                "kind": kind,
                "quantity": quantity,
                "numbers": int(part["check"].isin(SINGLE).sum()),
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
