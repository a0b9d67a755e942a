"""A fresh run against the reference, number by number: which rule holds for what."""

from collections.abc import Mapping

import pandas as pd

from hrta.study.claims.evidence import KINDS
from hrta.study.verification.agreement import FALSE_ALARM, Close, Drawn, Same
from hrta.study.verification.tuning import RACED, about_choices, tuned

Rule = Same | Close | Drawn
# Points and weights go through sine and logarithm, which differ by a unit in the last place between
# processors, and so do sums. Eigenvalues are off by some eps lambda_max then, 8e-16 as measured.
ULPS = 16 * 2.0**-52
EIGENVALUE = 1e-12
# What is made of eigenvalues far below lambda_max, or of a few thousand steps in float64.
DERIVED = 1e-6


def _trained(
    kind: str,
    *logarithmic: str,
    pool: str | None = None,
    near: str | None = None,
    step: float | None = None,
    **scaled: str,
) -> dict[str, Rule]:
    """Columns that come from training; a cell is what differs in its seeds only."""
    cell = tuple(name for name in KINDS[kind].key if name != "seed")
    wider = [tuple(names.split()) if names else None for names in (pool, near)]
    scales = dict.fromkeys(logarithmic, "log") | scaled
    return {column: Drawn(cell, scale, *wider, step) for column, scale in scales.items()}


# Cross-entropies in float32 are multiples of about this, and 0 where nothing is left of them.
ROUNDED = 1e-8
TUNED = ("learning_rate", "momentum", "ridge", "history_size", "recovery")
OF_THE_NETWORK = ("experiment", "s")
RULES: Mapping[str, Mapping[str, Rule]] = {
    "final_losses": _trained("final_losses", "loss", "test_loss", near="experiment optimizer"),
    "switches": _trained("switches", "before", "after", near="experiment optimizer"),
    "races": _trained("races", "loss", near="race problem", step=ROUNDED)
    | _trained("races", "test_loss", near="race problem", test_error="absolute"),
    "tuning": _trained("tuning", "loss", pool=" ".join(RACED), step=ROUNDED)
    | dict.fromkeys(TUNED, Same()),
    "poisson": _trained(
        *("poisson", "l2_error", "h1_error"),
        **{"gap": "relative", "loss_gap": "relative", "pool": "experiment"},
    ),
    "spectra": {
        "eigenvalue": Close(EIGENVALUE, ("experiment", "kernel", "width", "seed", "s")),
    },
    # Networks of infinite width are drawn by way of eigenvectors, whose signs are anyone's.
    "theory_rates": _trained(
        *("theory_rates", "loss", "first_loss", "predicted", "bound", "excess"),
        **{"deviation": "absolute", "pool": "experiment stage"},
    )
    | {
        "smallest_limit": Close(DERIVED, KINDS["theory_rates"].key),
        "smallest_end": Close(DERIVED, ("experiment", "method", "stage")),
    },
    "theory_motion": _trained(
        *("theory_motion", "kernel_change", "inner_travel", "outer_travel"), pool="optimizer stage"
    ),
    "theory_width": {
        column: Close(DERIVED, OF_THE_NETWORK)
        for column in ("kernel_error", "smallest", "smallest_limit", "smallest_error")
    },
    "theory_samples": {
        column: Close(EIGENVALUE, KINDS["theory_samples"].key, of="largest")
        for column in ("smallest", "largest")
    },
    "theory_jumps": {
        column: Close(DERIVED, KINDS["theory_jumps"].key)
        for column in ("before", "after", "expected_loss")
    },
    "acceleration": _trained(
        *("acceleration", "exponent", "reached", "predicted", "travel"), pool="experiment optimizer"
    )
    | {
        column: Close(DERIVED, ("experiment", "optimizer"))
        for column in ("smallest", "smallest_start")
    },
    "acceleration_steps": _trained(
        *("acceleration_steps", "steps", "ratio"), pool="experiment optimizer level"
    ),
    "slopes": _trained("slopes", "error", pool="experiment step"),
    "slope_ends": _trained("slope_ends", "loss", "slope", pool="experiment step"),
    "data": {"value": Close(ULPS, ("file", "coordinate"))},
    "anmin": _trained("anmin", "loss", "fixed_pattern_loss", "test_loss"),
}


def rule_of(kind: str, column: str) -> Rule:
    """The rule for a column of a kind of evidence.

    Raises:
        ValueError: there is none.
    """
    if kind in RULES and column in RULES[kind]:
        return RULES[kind][column]
    raise ValueError(f"verification: no rule for {kind}.{column}")


def paired(kind: str, reference: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Both tables side by side, the fresh columns' names with a * behind.

    Raises:
        ValueError: rows or columns that only one of them has.
    """
    key = list(KINDS[kind].key)
    if set(reference) != set(fresh):
        odd = ", ".join(sorted(set(reference) ^ set(fresh)))
        raise ValueError(f"verification: {kind}: only one of the two has the column {odd}")
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
    if set(reference) != set(fresh):
        odd = ", ".join(sorted(set(reference) ^ set(fresh)))
        raise ValueError(f"verification: only one of the two has {odd}")
    pairs = {kind: paired(kind, table, fresh[kind]) for kind, table in reference.items()}
    found = []
    if "tuning" in pairs:
        choices = tuned(pairs["tuning"])
        found.append(about_choices(choices))
        alike = choices.loc[choices["reference"] == choices["fresh"], RACED]
        if "races" in pairs:
            pairs["races"] = pairs["races"].merge(alike, on=RACED)
    columns = [
        (kind, column)
        for kind, table in pairs.items()
        for column in table
        if f"{column}*" in table and column != "chosen"
    ]
    tests = sum(rule_of(kind, column).tests(pairs[kind]) for kind, column in columns)
    for kind, column in columns:
        rule = rule_of(kind, column)
        table = pairs[kind][[*KINDS[kind].key, column, f"{column}*"]]
        table = table.rename(columns={column: "reference", f"{column}*": "fresh"})
        if isinstance(rule, Close) and rule.of:
            table = table.assign(size=pairs[kind][rule.of])
        away = rule.deviations(table, FALSE_ALARM / max(tests, 1)).drop(
            columns="size", errors="ignore"
        )
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
        f"{row.kind}.{row.quantity}, {row.check}: {named(where)}: {row.fresh:.6g} here, "
        f"{row.reference:.6g} in the reference, {row.units:.3g} times what is allowed"
        for row, (_, where) in zip(
            worst.head(most).itertuples(),
            worst.head(most).drop(columns=facts).iterrows(),
            strict=True,
        )
    ]
