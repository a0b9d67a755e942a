"""The compact tables that verdicts are drawn from: results, reduced to one row for each run.

Each kind of evidence is made from the files of one kind of results, one file at a time, so that
never more than one of them is in memory.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.runtime.files import read_tables
from hrta.study.analysis.acceleration import decay_exponents, steps_to_levels
from hrta.study.analysis.comparison import final_losses
from hrta.study.analysis.poisson import final_errors
from hrta.study.analysis.race_results import CELL, ends, measures
from hrta.study.analysis.slopes import relative_errors

RUN = ("experiment", "problem", "width", "method", "optimizer", "learning_rate", "seed")
RACE = ("race", "problem", "width", "method", "seed")


@dataclass(frozen=True)
class Kind:
    """A kind of evidence.

    key: columns that tell its rows apart, and that they are sorted by.
    reduce: makes the rows of one file, from its table and the fraction of a run's steps that is its
        end.
    group: what the folder of a file is the name of, where the table does not say it.
    name: what the file is the name of, likewise.
    """

    key: tuple[str, ...]
    reduce: Callable[[pd.DataFrame, float], pd.DataFrame]
    group: str | None = None
    name: str | None = None


def collect(kind: str, files: Iterable[str | Path], fraction: float = 0.02) -> pd.DataFrame:
    """The evidence of one kind from the files of the results that it is about.

    Args:
        kind: one of `KINDS`.
        files: Parquet files as the commands of hrta write them. The races' lie in a folder named
            after the race.
        fraction: which part of a run's steps is its end.

    Returns:
        Table with the key's columns first, sorted by them, one row for each key.

    Raises:
        ValueError: an unknown kind, no files, a file that is not of this kind, or a key that is
            there twice.
    """
    if kind not in KINDS:
        raise ValueError(f"evidence: unknown kind {kind!r}; there are {', '.join(KINDS)}")
    chosen = KINDS[kind]
    tables = [_reduced(chosen, Path(file), fraction) for file in files]
    if not tables:
        raise ValueError(f"evidence: no files for {kind}")
    table = pd.concat(tables, ignore_index=True)
    words = table.select_dtypes("category").columns
    table = table.astype(dict.fromkeys(words, str))
    key = list(chosen.key)
    if table.duplicated(key).any():
        twice = table.loc[table.duplicated(key), key].iloc[0].to_dict()
        raise ValueError(f"evidence: {kind}: there are two rows of {twice}")
    rest = [name for name in table if name not in key]
    return table.sort_values(key, ignore_index=True)[[*key, *rest]]


def _reduced(kind: Kind, file: Path, fraction: float) -> pd.DataFrame:
    """The rows of one file, under the names that its path gives."""
    names = {kind.group: file.parent.name, kind.name: file.stem}
    try:
        table = read_tables(file, reduce=lambda table: kind.reduce(table, fraction))
    except KeyError as error:
        raise ValueError(f"{file}: not a result of this kind; there is no {error}") from None
    return table.assign(**{name: value for name, value in names.items() if name is not None})


def _losses(runs: pd.DataFrame, fraction: float) -> pd.DataFrame:
    return final_losses(runs, fraction).assign(problem=runs["problem"].iloc[0])


def _switches(runs: pd.DataFrame, _: float) -> pd.DataFrame:
    """The losses before and after each switch that changes s."""
    # One row for each run and stage: the first and the last logged loss of it.
    runs = runs.astype(dict.fromkeys(runs.select_dtypes("category"), str)).fillna({"loss": np.inf})
    stages = runs.sort_values("step", kind="stable").groupby([*RUN, "stage"])
    edges = stages.agg(s=("s", "first"), first=("loss", "first"), last=("loss", "last"))
    before = edges.groupby(list(RUN)).shift()
    moved = edges.assign(before=before["last"], after=edges["first"], s_before=before["s"])
    moved = moved[moved["s_before"].notna() & (moved["s_before"] != moved["s"])]
    return moved[["before", "after"]].reset_index()


def _race_ends(runs: pd.DataFrame, fraction: float) -> pd.DataFrame:
    final = ends(runs, fraction)
    return final[[*CELL, "seed", *measures(final)]]


def _tuning(tuning: pd.DataFrame, _: float) -> pd.DataFrame:
    """Without what no choice depends on."""
    return tuning.drop(columns=["test_loss", "test_error"], errors="ignore")


def _ritz_errors(runs: pd.DataFrame, fraction: float) -> pd.DataFrame:
    return final_errors(runs, fraction).assign(problem=runs["problem"].iloc[0])


def _extremes(spectra: pd.DataFrame, _: float) -> pd.DataFrame:
    """The whole spectra at infinite width; of finite networks the smallest and the largest."""
    ends_of = spectra["index"].isin([0, spectra["index"].max()])
    return spectra[(spectra["kernel"] == "infinite") | ends_of]


def _rates(rates: pd.DataFrame, _: float) -> pd.DataFrame:
    """Where each run is at the end of each stage, and how far it was from bound and prediction."""
    with np.errstate(divide="ignore"):
        away = np.log10(rates["loss"] / rates["predicted"]).abs()
    rates = rates.assign(excess=rates["loss"] / rates["bound"], deviation=away)
    stage = ["experiment", "problem", "method", "width", "seed", "stage"]
    stages = rates.sort_values("step", kind="stable").groupby(stage, dropna=False)
    last = stages[["loss", "predicted", "bound", "smallest_limit", "smallest_end"]].last()
    most = stages[["excess", "deviation"]].max()
    return last.assign(first_loss=stages["loss"].first()).join(most).reset_index()


def _stage_ends(motion: pd.DataFrame, _: float) -> pd.DataFrame:
    last = motion.groupby(["method", "optimizer", "stage"])["step"].transform("max")
    return motion[motion["step"] == last].drop(columns="s")


def _exponents(table: pd.DataFrame, _: float) -> pd.DataFrame:
    """The exponent of each run by itself, and how far its weights have travelled."""
    cell = ["experiment", "optimizer", "width"]
    each = [decay_exponents(runs).assign(seed=seed) for seed, runs in table.groupby("seed")]
    last = table[table["step"] == table["step"].max()]
    travel = last[[*cell, "seed", "travel", "smallest_start"]]
    exponents = pd.concat(each).drop(columns=["seeds", "low", "high", "in_the_end", "claimed"])
    return exponents.merge(travel, on=[*cell, "seed"]).assign(problem=table["problem"].iloc[0])


def _steps(table: pd.DataFrame, _: float) -> pd.DataFrame:
    each = [steps_to_levels(runs).assign(seed=seed) for seed, runs in table.groupby("seed")]
    return pd.concat(each)[["experiment", "width", "level", "optimizer", "seed", "steps", "ratio"]]


def _slope_ends(errors: pd.DataFrame, _: float) -> pd.DataFrame:
    return errors[errors["step"] == errors["step"].max()]


def _points(problem: pd.DataFrame, _: float) -> pd.DataFrame:
    """A row for each coordinate, for problems have different numbers of them."""
    key = ["set", "problem", "point"]
    return problem.assign(point=problem.groupby("set").cumcount()).melt(key, var_name="coordinate")


def _whole(table: pd.DataFrame, _: float) -> pd.DataFrame:
    return table


THEORY = ("experiment", "problem")
KINDS = {
    "final_losses": Kind(RUN, _losses),
    "switches": Kind((*RUN, "stage"), _switches),
    "races": Kind(RACE, _race_ends, group="race"),
    "tuning": Kind((*RACE[:-1], "candidate", "seed"), _tuning, group="race"),
    "poisson": Kind(RUN, _ritz_errors),
    "spectra": Kind((*THEORY, "kernel", "width", "seed", "s", "index"), _extremes),
    "theory_rates": Kind((*THEORY, "method", "width", "seed", "stage"), _rates),
    "theory_motion": Kind(
        (*THEORY, "method", "optimizer", "width", "seed", "step", "stage"), _stage_ends
    ),
    "theory_width": Kind((*THEORY, "s", "width", "seed"), _whole),
    "theory_samples": Kind((*THEORY, "s", "points"), _whole),
    "theory_jumps": Kind((*THEORY, "method"), _whole),
    "acceleration": Kind((*THEORY, "optimizer", "width", "seed"), _exponents),
    "acceleration_steps": Kind(("experiment", "optimizer", "width", "level", "seed"), _steps),
    "slopes": Kind(("experiment", "variant", "step", "seed"), lambda t, _: relative_errors(t)),
    "slope_ends": Kind(("experiment", "problem", "variant", "step", "seed"), _slope_ends),
    "anmin": Kind(("problem", "width", "seed", "round"), _whole),
    "data": Kind(("file", "problem", "set", "point", "coordinate"), _points, name="file"),
}
