"""The race: each method is tuned on seeds of its own, then runs from fresh ones.

A gradient evaluation is that of the loss on all points; a minibatch counts its part of them. An
exact solve of ANMIN counts as one, though it costs more: the seconds show it.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.problems.problem import Problem
from hrta.runtime.checkpoints import Checkpoint, Parts
from hrta.study.analysis.race_results import ends, measures
from hrta.study.config.race_methods import CLASSIFIERS, Budget, Candidate, Entry, RacedMethod
from hrta.study.config.race_spec import RaceSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem

# Seeds for tuning are these and the following; the race has 0, 1, ...
FIRST_TUNING_SEED = 10_000
CELL = ["problem", "width", "method"]


def run(spec: RaceSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Tune each method on each problem at each width, then let it run.

    Every candidate of the grid is trained from the tuning seeds' weights. Of those with which no
    run diverged, or of all if there are none, the one with the lowest median final loss is then
    trained from the other seeds.

    Returns:
        The runs: problem, width, method, seed, step, evaluations, seconds (of one run), answer
        (whether the network has the activation that it ends with), loss, test_loss and, for
        classes, test_error; a row for each run and logged step. As the second table the tuning:
        problem, width, method, candidate, its parameters, seed, loss, test_loss, test_error
        (final), chosen; a row for each run.

    Raises:
        ValueError: a problem with classes, and a method that fits numbers alone; or a checkpoint
            of another race.
    """
    problems = [load_problem(each.problem) for each in spec.problems]
    for problem, (name, entry) in product(problems, spec.entries.items()):
        _check_classes(problem, name, entry.method)
    parts = Parts(checkpoint and Checkpoint(checkpoint, _identity(spec, problems)))
    total = len(spec.entries) * sum(len(each.widths) for each in spec.problems)
    done, tables = 0, []
    for each, problem in zip(spec.problems, problems, strict=True):
        budget = Budget(each.evaluations, spec.decay)
        for name, entry in spec.entries.items():
            told = _from(progress, done, total)
            compute = partial(_compete, problem, name, entry, each.widths, budget, spec, told)
            tables.append(parts.tables(str(len(tables)), compute))
            done += len(each.widths)
            progress(done, total)
    runs, tuning = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    analytic = {entry.method.trainer == "anmin" for entry in spec.entries.values()}
    # The exact solves need double precision.
    dtypes = [{True: "float64", False: "float32"}[each] for each in sorted(analytic)]
    return Outcome(runs, " and ".join(dtypes), second=tuning)


def _check_classes(problem: Problem, name: str, method: RacedMethod) -> None:
    if problem.classes is not None and method.trainer not in CLASSIFIERS:
        raise ValueError(
            f"race: {problem.name} has classes, which only trainer {' or '.join(CLASSIFIERS)} "
            f"fits; {method.trainer} of {name} fits numbers"
        )


def _identity(spec: RaceSpec, problems: Sequence[Problem]) -> dict[str, object]:
    """The spec and the points, as what a checkpoint belongs to."""
    own = spec.model_dump(mode="json", exclude_none=True)
    return own | {"points": [problem.digest for problem in problems]}


def _from(progress: Progress, first: int, total: int) -> Progress:
    """The progress of a part that begins there, told as that of all."""
    return lambda done, _: progress(first + done, total)


def _compete(
    problem: Problem,
    name: str,
    entry: Entry,
    widths: Sequence[int],
    budget: Budget,
    spec: RaceSpec,
    progress: Progress,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The runs and the tuning of one method on one problem."""
    runs, tuning = [], []
    progress(0, len(widths))
    for done, width in enumerate(widths, start=1):
        train = partial(_train, problem, entry.method, width, budget)
        tuned = _tune(train, entry, spec)
        best = entry.grid.candidates[tuned.loc[tuned["chosen"], "candidate"].iloc[0]]
        cell = {"problem": problem.name, "width": width, "method": name}
        runs.append(train([best] * spec.seeds, range(spec.seeds)).assign(**cell))
        tuning.append(tuned.assign(**cell))
        progress(done, len(widths))
    runs, tuning = (pd.concat(tables, ignore_index=True) for tables in (runs, tuning))
    parameters = [field.name for field in fields(Candidate)]
    logged = ["seed", "step", "evaluations", "seconds", "answer", *measures(runs)]
    tuned = ["candidate", *parameters, "seed", *measures(tuning), "chosen"]
    return runs[[*CELL, *logged]], tuning[[*CELL, *tuned]]


def _tune(
    train: Callable[[Sequence[Candidate], Sequence[int]], pd.DataFrame],
    entry: Entry,
    spec: RaceSpec,
) -> pd.DataFrame:
    """The final losses of all candidates from the tuning seeds."""
    seeds = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + spec.tuning_seeds)
    tables = []
    for together in _differing_in_learning_rate(entry.grid.candidates):
        runs = list(product(together, seeds))
        chosen, their_seeds = zip(*runs, strict=True)
        history = train(chosen, their_seeds)
        # The statistics of the race need these columns; here a run is a candidate with a seed.
        named = history.assign(problem="", width=0, method="", seed=history["run"])
        final = ends(named, spec.final_fraction)
        parameters = pd.DataFrame([asdict(chosen[run]) for run in final["seed"]], dtype=float)
        numbers = [entry.grid.candidates.index(chosen[run]) for run in final["seed"]]
        final["seed"] = [their_seeds[run] for run in final["seed"]]
        named = final[["seed", *measures(final)]].assign(candidate=numbers)
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
    method: RacedMethod,
    width: int,
    budget: Budget,
    candidates: Sequence[Candidate],
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Train one network for each candidate and seed; the trainer's table with a column of seeds."""
    trainer = import_module(f"hrta.study.experiments.trainers.{method.trainer}")
    history = trainer.train(problem, width, method, candidates, budget, seeds)
    if "test_loss" not in history:
        history["test_loss"] = np.nan
    if "answer" not in history:
        history["answer"] = True
    return history.assign(seed=np.asarray(seeds)[history["run"]])
