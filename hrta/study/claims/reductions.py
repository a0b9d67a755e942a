"""From the results of one file to the rows of its evidence.

Each function takes the table of the file and the fraction of a run's steps that is its end.
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
    """The table with text for categories, which differ from file to file."""
    return table.astype(dict.fromkeys(table.select_dtypes("category"), str))


def whole(table: pd.DataFrame, _: float) -> pd.DataFrame:
    """The table as it is."""
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
    # One row for each run and stage: the first and the last logged loss of it.
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
    """Without the measures that no choice depends on."""
    return table.drop(columns=["test_loss", "test_error"], errors="ignore")


def extremes(spectra: pd.DataFrame, _: float) -> pd.DataFrame:
    """The whole spectra at infinite width; of finite networks the smallest and the largest."""
    extreme = spectra["index"].isin([0, spectra["index"].max()])
    return spectra[(spectra["kernel"] == "infinite") | extreme]


def rates(table: pd.DataFrame, _: float) -> pd.DataFrame:
    """Each run at the end of each stage."""
    return rates_by_stage(table).drop(columns="first_bound")


def stage_ends(motion: pd.DataFrame, _: float) -> pd.DataFrame:
    """The last row of each stage."""
    last = motion.groupby(["method", "optimizer", "stage"])["step"].transform("max")
    return motion[motion["step"] == last].drop(columns="s")


def decay(table: pd.DataFrame, _: float) -> pd.DataFrame:
    """The exponent of each run by itself, and the travel of its weights."""
    run = [name for name in ACCELERATION.run if name != "problem"]
    each = [decay_exponents(runs).assign(seed=seed) for seed, runs in table.groupby("seed")]
    exponents = pd.concat(each)[[*run, "exponent", "reached", "predicted", "smallest"]]
    last = table[table["step"] == table["step"].max()]
    travel = last[[*run, "travel", "smallest_start"]]
    return exponents.merge(travel, on=run).assign(problem=table["problem"].iloc[0])


def steps(table: pd.DataFrame, _: float) -> pd.DataFrame:
    """The steps of each run to each level, and their ratio to the baseline's."""
    each = [steps_to_levels(runs).assign(seed=seed) for seed, runs in table.groupby("seed")]
    return pd.concat(each)[["experiment", "width", "level", "optimizer", "seed", "steps", "ratio"]]


def solution_errors(solutions: pd.DataFrame, _: float) -> pd.DataFrame:
    """The relative errors of every run at every kept step."""
    return relative_errors(solutions)


def last_step(errors: pd.DataFrame, _: float) -> pd.DataFrame:
    """The rows of the last step."""
    return errors[errors["step"] == errors["step"].max()]


def coordinates(problem: pd.DataFrame, _: float) -> pd.DataFrame:
    """A row for each coordinate of each point, for problems have different numbers of them."""
    points = problem.assign(point=problem.groupby("set").cumcount())
    return points.melt([*POINTS.key], var_name="coordinate")
