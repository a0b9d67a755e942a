"""Summaries of results as text, printed by commands without --output."""

from collections.abc import Sequence

import pandas as pd

from hrta.study.analysis.schema import MOTION, PARAMETERS
from hrta.study.config.base_spec import Spec
from hrta.study.experiments.outcome import Outcome

# Columns by which runs are grouped, and the column by which their rows are ordered.
GROUPS = {
    "anmin": ([], "round"),
    "lbfgs": ([], "evaluations"),
    "laaf": ([], "step"),
    "slopes": (["variant"], "step"),
    "acceleration": (["optimizer", "width"], "step"),
    "poisson": (["method", "learning_rate"], "step"),
    "race": (["method", "problem", "width"], "step"),
}
# The columns that are shown for the last row of a run, if the table has them.
MEASURED = (
    *("loss", "fixed_pattern_loss", "predicted", "travel", "slope", "test_loss", "test_error"),
    *("energy", "l2_error", "h1_error"),
)
# Fits of power laws: the independent column, and the dependent columns.
FITS = {
    "theory width": ("width", ["kernel_error", "smallest_error"]),
    "theory samples": ("points", ["smallest", "largest"]),
}


def summary(spec: Spec, outcome: Outcome) -> str:
    """The summary of a job's result."""
    table = outcome.table
    if spec.job in ("train", "sweep"):
        from hrta.cli.final_losses import final_losses_as_text

        return final_losses_as_text(table, spec.methods)
    if spec.job == "spectra":
        return _extremes(table)
    if spec.job in FITS:
        return _fits(table, *FITS[spec.job])
    if spec.job == "theory motion":
        end = table[table["step"] == table["step"].max()]
        cells = end.groupby(["method", "width"], sort=False)[[*MOTION.measured]]
        return cells.median().to_string()
    if spec.job == "theory rates":
        from hrta.study.analysis.theory import crossings_of_bound

        return crossings_of_bound(table).drop(columns="experiment").to_string(index=False)
    if spec.job in GROUPS:
        return _chosen(outcome) + _last_rows(table, *GROUPS[spec.job])
    return table.drop(columns="experiment", errors="ignore").to_string(index=False)


def _extremes(table: pd.DataFrame) -> str:
    runs = table.groupby(["kernel", "width", "seed", "s"], dropna=False)["eigenvalue"]
    extremes = runs.agg(["min", "max"]).reset_index()
    cells = extremes.groupby(["kernel", "width", "s"], dropna=False, sort=False)[["min", "max"]]
    return f"smallest and largest eigenvalue, median over seeds\n{cells.median().to_string()}"


def _fits(table: pd.DataFrame, against: str, columns: list[str]) -> str:
    from hrta.study.analysis.theory import exponents

    medians = table.groupby(["s", against])[columns].median().to_string()
    return f"{medians}\n{exponents(table, against, columns, ['s']).to_string(index=False)}"


def _last_rows(table: pd.DataFrame, by: Sequence[str], clock: str) -> str:
    """Medians over seeds of the last row of each run."""
    shown = [name for name in MEASURED if name in table]
    runs = table.sort_values(clock, kind="stable").groupby([*by, "seed"], dropna=False)
    last = runs[[clock, *shown]].last()
    medians = last.groupby(list(by), dropna=False, sort=False).median() if by else last.median()
    seeds = table["seed"].nunique()
    return f"last row of each run, median over {seeds} seeds\n{medians.to_string()}"


def _chosen(outcome: Outcome) -> str:
    """The parameters that were chosen for the methods of a race."""
    tuning = outcome.second
    if tuning is None or "chosen" not in tuning:
        return ""
    cells = tuning[tuning["chosen"]].groupby(["method", "problem", "width"], sort=False)
    best = cells.first()[list(PARAMETERS)].dropna(axis="columns", how="all")
    return f"chosen\n{best.to_string()}\n"
