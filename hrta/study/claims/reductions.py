"""Reductions of the results of one file to rows of evidence.

Each function takes the table of the file and the final fraction of a run's steps.
"""

import numpy as np
import pandas as pd

from hrta.study.analysis.acceleration import decay_exponents, steps_to_levels
from hrta.study.analysis.final import final_losses, final_race_results, race_measures
from hrta.study.analysis.poisson import final_errors
from hrta.study.analysis.schema import ACCELERATION, POINTS, RACE_RUN, TRAINING
from hrta.study.analysis.slopes import relative_errors
from hrta.study.analysis.theory import rates_by_stage


def with_words(table: pd.DataFrame) -> pd.DataFrame:
    """The table with categories as text, because categories differ between files."""
    return table.astype(dict.fromkeys(table.select_dtypes("category"), str))


def whole(table: pd.DataFrame, _: float) -> pd.DataFrame:
    """The table, unchanged."""
    return table


def losses(runs: pd.DataFrame, fraction: float) -> pd.DataFrame:
    """The final losses of every run."""
    return final_losses(runs, fraction).assign(problem=runs["problem"].iloc[0])


def ritz_errors(runs: pd.DataFrame, fraction: float) -> pd.DataFrame:
    """The final errors of every run on a Poisson problem."""
    return final_errors(runs, fraction).assign(problem=runs["problem"].iloc[0])


def switches(runs: pd.DataFrame, _: float) -> pd.DataFrame:
    """The losses before and after each switch that changes s."""
    runs = with_words(runs).fillna({"loss": np.inf})
    run = [*TRAINING.run]
    # One row for each run and stage, with its first and last logged loss.
    stages = runs.sort_values("step", kind="stable").groupby([*run, "stage"])
    edges = stages.agg(s=("s", "first"), first=("loss", "first"), last=("loss", "last"))
    before = edges.groupby(run).shift()
    switched = before["s"].notna() & (before["s"] != edges["s"])
    losses = edges.assign(before=before["last"], after=edges["first"])
    return losses.loc[switched, ["before", "after"]].reset_index()


def race_results(runs: pd.DataFrame, fraction: float) -> pd.DataFrame:
    """The final measures of every run of a race."""
    final = final_race_results(runs, fraction)
    return final[[*RACE_RUN, *race_measures(final)]]


def tuning(table: pd.DataFrame, _: float) -> pd.DataFrame:
    """The table without the measures that the choice does not depend on."""
    return table.drop(columns=["test_loss", "test_error"], errors="ignore")


def extremes(spectra: pd.DataFrame, _: float) -> pd.DataFrame:
    """All eigenvalues at infinite width; of finite networks the smallest and the largest."""
    extreme = spectra["index"].isin([0, spectra["index"].max()])
    return spectra[(spectra["kernel"] == "infinite") | extreme]


def rates(table: pd.DataFrame, _: float) -> pd.DataFrame:
    """One row for each run and stage, at the end of the stage."""
    return rates_by_stage(table).drop(columns="first_bound")


def stage_ends(motion: pd.DataFrame, _: float) -> pd.DataFrame:
    """The last row of each stage."""
    last = motion.groupby(["method", "optimizer", "stage"])["step"].transform("max")
    return motion[motion["step"] == last].drop(columns="s")


def decay(table: pd.DataFrame, _: float) -> pd.DataFrame:
    """The exponent of each run, and the travel of its weights."""
    run = [name for name in ACCELERATION.run if name != "problem"]
    each = [decay_exponents(runs).assign(seed=seed) for seed, runs in table.groupby("seed")]
    exponents = pd.concat(each)[[*run, "exponent", "reached", "predicted", "smallest"]]
    last = table[table["step"] == table["step"].max()]
    travel = last[[*run, "travel", "smallest_start"]]
    return exponents.merge(travel, on=run).assign(problem=table["problem"].iloc[0])


def steps(table: pd.DataFrame, _: float) -> pd.DataFrame:
    """The steps of each run to each level, and their ratio to those of the baseline."""
    each = [steps_to_levels(runs).assign(seed=seed) for seed, runs in table.groupby("seed")]
    return pd.concat(each)[["experiment", "width", "level", "optimizer", "seed", "steps", "ratio"]]


def solution_errors(solutions: pd.DataFrame, _: float) -> pd.DataFrame:
    """The relative errors of every run at every kept step."""
    return relative_errors(solutions)


def last_step(errors: pd.DataFrame, _: float) -> pd.DataFrame:
    """The rows of the last step."""
    return errors[errors["step"] == errors["step"].max()]


def coordinates(problem: pd.DataFrame, _: float) -> pd.DataFrame:
    """A row for each coordinate of each point, as their number differs between problems."""
    points = problem.assign(point=problem.groupby("set").cumcount())
    return points.melt([*POINTS.key], var_name="coordinate")
