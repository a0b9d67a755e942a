"""What a result comes to, as text: printed where a command is given no output."""

from collections.abc import Sequence

import pandas as pd

from hrta.study.config.base_spec import Spec
from hrta.study.experiments.outcome import Outcome

# By what runs are grouped, and by which column they are ordered.
ENDS = {
    "anmin": ([], "round"),
    "lbfgs": ([], "evaluations"),
    "laaf": ([], "step"),
    "slopes": (["variant"], "step"),
    "acceleration": (["optimizer", "width"], "step"),
    "poisson": (["method", "learning_rate"], "step"),
    "race": (["method", "problem", "width"], "step"),
}
# What is shown of the end of a run, where it is there.
MEASURED = (
    *("loss", "fixed_pattern_loss", "predicted", "travel", "slope", "test_loss", "test_error"),
    *("energy", "l2_error", "h1_error"),
)
# Against what the theory's tables are fitted with a power, which columns, for each of what.
FITS = {
    "theory width": ("width", ["kernel_error", "smallest_error"]),
    "theory samples": ("points", ["smallest", "largest"]),
}


def summary(spec: Spec, outcome: Outcome) -> str:
    """What the result of a job comes to."""
    table = outcome.table
    if spec.job in ("train", "sweep"):
        return _final_losses(spec, table)
    if spec.job == "spectra":
        return _extremes(table)
    if spec.job in FITS:
        return _fits(table, *FITS[spec.job])
    if spec.job == "theory motion":
        end = table[table["step"] == table["step"].max()]
        changes = ["kernel_change", "inner_travel", "outer_travel"]
        return end.groupby(["method", "width"], sort=False)[changes].median().to_string()
    if spec.job == "theory rates":
        from hrta.study.analysis.theory import against_the_bound

        return against_the_bound(table).drop(columns="experiment").to_string(index=False)
    if spec.job in ENDS:
        return _chosen(outcome) + _ends(table, *ENDS[spec.job])
    return table.drop(columns="experiment", errors="ignore").to_string(index=False)


def _final_losses(spec: Spec, table: pd.DataFrame) -> str:
    from hrta.study.analysis.comparison import CELL, final_losses

    final = final_losses(table)
    losses = final.columns.intersection(["loss", "test_loss"]).tolist()
    by = [name for name in CELL if name == "method" or final[name].nunique() > 1]
    medians = final.groupby(by, observed=True, sort=False)[losses].median()
    methods = medians.index.get_level_values("method")
    medians.insert(0, "s", [str(spec.methods[method]) for method in methods])
    return f"median final losses over {spec.seeds} seeds\n{medians.to_string()}"


def _extremes(table: pd.DataFrame) -> str:
    runs = table.groupby(["kernel", "width", "seed", "s"], dropna=False)["eigenvalue"]
    extremes = runs.agg(["min", "max"]).reset_index()
    cells = extremes.groupby(["kernel", "width", "s"], dropna=False, sort=False)[["min", "max"]]
    return f"smallest and largest eigenvalue, median over seeds\n{cells.median().to_string()}"


def _fits(table: pd.DataFrame, against: str, columns: list[str]) -> str:
    from hrta.study.analysis.theory import exponents

    medians = table.groupby(["s", against])[columns].median().to_string()
    return f"{medians}\n{exponents(table, against, columns, ['s']).to_string(index=False)}"


def _ends(table: pd.DataFrame, by: Sequence[str], clock: str) -> str:
    """Medians over seeds of where each run ended."""
    shown = [name for name in MEASURED if name in table]
    last = table.sort_values(clock, kind="stable").groupby([*by, "seed"], dropna=False)
    ends = last[[clock, *shown]].last()
    medians = ends.groupby(list(by), dropna=False, sort=False).median() if by else ends.median()
    seeds = table["seed"].nunique()
    return f"where the runs ended, median over {seeds} seeds\n{medians.to_string()}"


def _chosen(outcome: Outcome) -> str:
    """The parameters that the methods of a race were tuned to."""
    tuning = outcome.second
    if tuning is None or "chosen" not in tuning:
        return ""
    cells = tuning[tuning["chosen"]].groupby(["method", "problem", "width"], sort=False)
    parameters = tuning.loc[:, "candidate":"seed"].columns[1:-1]
    best = cells.first()[parameters].dropna(axis="columns", how="all")
    return f"chosen\n{best.to_string()}\n"
