"""The verification of a run: its comparison with one or several references."""

from dataclasses import dataclass

import pandas as pd

from hrta.study.analysis.shifts import FALSE_ALARM
from hrta.study.claims.judgement import evaluate
from hrta.study.config.claims import Claims
from hrta.study.config.flat import relevant
from hrta.study.verification.comparison import (
    disagreements,
    distances,
    paired,
    summary,
    tested,
)
from hrta.study.verification.machines import alike
from hrta.study.verification.pairing import pairings
from hrta.study.verification.reference import Replication
from hrta.study.verification.tables import part_of
from hrta.study.verification.tuning import tuned_otherwise
from hrta.study.verification.verdicts import (
    changed_verdicts,
    claim_ratios,
    kept_verdicts,
    ratio_quantity,
)


@dataclass(frozen=True)
class Comparison:
    """A run beside one reference.

    Attributes:
        reference: the reference.
        deviations: as those of `hrta.study.verification.comparison.compare`.
        apart: as `hrta.study.verification.comparison.distances`.
        exact: whether the two must be equal bit for bit.
    """

    reference: Replication
    deviations: pd.DataFrame
    apart: pd.DataFrame
    exact: bool

    def lines(self) -> list[str]:
        """What there is to say about the comparison."""
        same = float((self.apart["equal"] * self.apart["numbers"]).sum())
        share = f"{same:.0f} of {self.apart['numbers'].sum()} numbers are equal bit for bit"
        reason = (
            "processor model, versions and code are the same, so that all must be"
            if self.exact
            else "the processor model, versions or code differ or are not recorded"
        )
        return [
            f"{self.reference.name}: {share}; {reason}",
            *tuned_otherwise(self.deviations),
            *disagreements(self.deviations),
        ]


def differences(reference: dict[str, object], fresh: dict[str, object]) -> list[str]:
    """The values in which two configurations differ, as text."""
    names = sorted(set(reference) | set(fresh))
    return [
        f"{name} is {fresh.get(name, 'missing')}, in the reference {reference.get(name, 'missing')}"
        for name in names
        if reference.get(name) != fresh.get(name) or (name in reference) != (name in fresh)
    ]


def check_configuration(reference: Replication, fresh: Replication) -> None:
    """Refuse the comparison of two runs with different configurations.

    Raises:
        ValueError: values that differ.
    """
    differing = differences(relevant(reference.configuration), relevant(fresh.configuration))
    if differing:
        more = f" and {len(differing) - 3} more differ" if len(differing) > 3 else ""
        raise ValueError(
            f"{fresh.folder}: configuration differs from the reference: "
            f"{'; '.join(differing[:3])}{more}"
        )


def verified(
    fresh: Replication, references: list[Replication], claims: Claims | None, partial: bool
) -> tuple[list[Comparison], pd.DataFrame]:
    """The comparisons of a run with each reference, and a table of all quantities.

    Args:
        fresh: the run.
        references: one or several.
        claims: the claims, to compare verdicts and paired ratios; None to leave them out.
        partial: whether only what the run has is compared.

    Raises:
        ValueError: configurations that differ, and as `compare`.
    """
    for reference in references:
        check_configuration(reference, fresh)
    tables = [part_of(r.tables, fresh.tables) if partial else r.tables for r in references]
    verdicts = [kept_verdicts(reference.folder) if claims else None for reference in references]
    judged = any(each is not None for each in verdicts)
    cells = evaluate(claims, fresh.tables) if judged else None
    ratios = claim_ratios(claims, fresh.tables) if judged else None
    # The references beside one another: how far apart they are, and how well they pair.
    between = paired(tables[0], tables[1])[0] if len(tables) > 1 else []
    alarm = FALSE_ALARM / len(references)
    found = []
    for reference, numbers, kept in zip(references, tables, verdicts, strict=True):
        pairs, deviations = paired(numbers, fresh.tables)
        deviations += pairings(pairs, between, alarm)
        apart = distances(pairs)
        exact = alike(reference.environment, fresh.environment)
        deviations += [_inexact(apart)] if exact else []
        if kept is not None:
            pairs = [*pairs, ratio_quantity(claim_ratios(claims, numbers), ratios)]
            deviations.append(changed_verdicts(kept, cells))
        deviations = pd.concat([*deviations, *tested(pairs, alarm)], ignore_index=True)
        found.append(Comparison(reference, deviations, apart, exact))
    return found, _table(found, distances(between))


def _inexact(apart: pd.DataFrame) -> pd.DataFrame:
    """A deviation for each quantity that is not equal bit for bit."""
    rows = apart.reset_index()
    rows = rows.assign(check="bit for bit", reference=1.0, fresh=rows["equal"])
    units = rows["equal"].map(lambda equal: 0.0 if equal == 1 else float("inf"))
    return rows.assign(units=units)[["kind", "quantity", "check", "units", "reference", "fresh"]]


def _table(comparisons: list[Comparison], between: pd.DataFrame) -> pd.DataFrame:
    """All quantities: the worst deviation from any reference, and how far apart all are.

    The columns of the distances are numbered as the references are; nine tenths of the numbers
    that are not equal differ by less.
    """
    every = pd.concat([each.deviations for each in comparisons], ignore_index=True)
    rows = summary(every).set_index(["kind", "quantity"])
    rows["numbers"] //= len(comparisons)
    columns = {f"from {i}": each.apart for i, each in enumerate(comparisons, start=1)}
    for name, apart in (columns | ({"1 from 2": between} if len(between) else {})).items():
        rows[name] = apart["apart"].reindex(rows.index).map(_percent)
    return rows.reset_index()


def _percent(relative: float) -> str:
    return "" if pd.isna(relative) else f"{100 * relative:.2g} %" if relative else "0"
