"""The race: each contestant is tuned on seeds of its own, then runs from fresh ones.

A gradient evaluation is that of the loss on all points; a minibatch counts its part of them. An
exact solve of ANMIN counts as one, though it costs more: seconds tell.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from importlib import import_module
from itertools import product

import numpy as np
import pandas as pd

from hrta.problems.problem import Problem
from hrta.study.analysis.final import final_race_results, race_measures
from hrta.study.config.contestants import CLASSIFIERS, Candidate, Contestant, Entry, Rules

# Seeds for tuning are these and the following; the race has 0, 1, ...
FIRST_TUNING_SEED = 10_000


def race(
    problem: Problem,
    method: str,
    entry: Entry,
    widths: Sequence[int],
    rules: Rules,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tune one contestant, then let it run.

    Every candidate of the grid is trained from the tuning seeds' weights. Of those with which no
    run diverged, or of all if there are none, the one with the lowest median final loss is then
    trained from the other seeds.

    Args:
        problem: the points.
        method: what the results call the contestant.
        entry: the contestant and its grid.
        widths: m.
        rules: as for every contestant.
        progress: called with the widths done and their number.

    Returns:
        runs: problem, width, method, seed, step, evaluations, seconds (of one run), answer
            (whether the network has the activation that it ends with), loss, test_loss and, for
            classes, test_error; a row for each run and logged step.
        tuning: problem, width, method, candidate, its parameters, seed, loss, test_loss,
            test_error (final), chosen; a row for each run.

    Raises:
        ValueError: a problem with classes, and a contestant that fits numbers alone.
    """
    if problem.classes is not None and entry.method.trainer not in CLASSIFIERS:
        raise ValueError(
            f"race: {problem.name} has classes, which only trainer {' or '.join(CLASSIFIERS)} "
            f"fits; {entry.method.trainer} fits numbers"
        )
    runs, tuning = [], []
    if progress is not None:
        progress(0, len(widths))
    for done, width in enumerate(widths, start=1):
        tuned = _tune(problem, entry, width, rules)
        best = entry.grid.candidates[tuned.loc[tuned["chosen"], "candidate"].iloc[0]]
        seeds = range(rules.seeds)
        history = _train(problem, entry.method, [best] * len(seeds), width, seeds, rules)
        runs.append(history.assign(problem=problem.name, width=width, method=method))
        tuning.append(tuned.assign(problem=problem.name, width=width, method=method))
        if progress is not None:
            progress(done, len(widths))
    return _ordered(runs, ["seed", "step", "evaluations", "seconds", "answer"]), _ordered(
        tuning, ["candidate", *(field.name for field in fields(Candidate)), "seed"], ["chosen"]
    )


def _ordered(
    tables: list[pd.DataFrame], names: list[str], last: Sequence[str] = ()
) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    return table[["problem", "width", "method", *names, *race_measures(table), *last]]


def _tune(problem: Problem, entry: Entry, width: int, rules: Rules) -> pd.DataFrame:
    """The final losses of all candidates from the tuning seeds."""
    seeds = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + rules.tuning_seeds)
    tables = []
    for together in _differing_in_learning_rate(entry.grid.candidates):
        runs = list(product(together, seeds))
        chosen, their_seeds = zip(*runs, strict=True)
        history = _train(problem, entry.method, chosen, width, their_seeds, rules)
        # The statistics of the race want these names; here it is the runs that are told apart.
        named = history.assign(problem=problem.name, width=width, method="", seed=history["run"])
        final = final_race_results(named, rules.final_fraction)
        parameters = pd.DataFrame([asdict(chosen[run]) for run in final["seed"]], dtype=float)
        numbers = [entry.grid.candidates.index(chosen[run]) for run in final["seed"]]
        final["seed"] = [their_seeds[run] for run in final["seed"]]
        named = final[["seed", *race_measures(final)]].assign(candidate=numbers)
        tables.append(named.join(parameters))
    table = pd.concat(tables, ignore_index=True)
    losses = table.groupby("candidate")["loss"].agg(worst="max", median="median")
    losses["diverged"] = np.isinf(losses["worst"])
    best = losses.sort_values(["diverged", "median"], kind="stable").index[0]
    return table.assign(chosen=table["candidate"] == best)


def _differing_in_learning_rate(candidates: list[Candidate]) -> list[list[Candidate]]:
    """The candidates, in groups that can be trained in one ensemble."""
    groups = {}
    for candidate in candidates:
        groups.setdefault(replace(candidate, learning_rate=None), []).append(candidate)
    return list(groups.values())


def _train(
    problem: Problem,
    contestant: Contestant,
    candidates: Sequence[Candidate],
    width: int,
    seeds: Sequence[int],
    rules: Rules,
) -> pd.DataFrame:
    """Train one network for each candidate and seed; the trainer's table with a column of seeds."""
    train = import_module(f"hrta.study.experiments.trainers.{contestant.trainer}").train
    history = train(problem, width, contestant, candidates, rules, seeds)
    if "test_loss" not in history:
        history["test_loss"] = np.nan
    if "answer" not in history:
        history["answer"] = True
    return history.assign(seed=np.asarray(seeds)[history["run"]])
