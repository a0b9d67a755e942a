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
from hrta.study.config.race_methods import CLASSIFIERS, Candidate, Entry, RacedMethod
from hrta.study.config.race_spec import RacedProblem, RaceSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.study.experiments.trainers.task import Task

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
        if problem.classes is not None and entry.method.trainer not in CLASSIFIERS:
            raise ValueError(
                f"race: {problem.name} has classes, which only trainer {' or '.join(CLASSIFIERS)} "
                f"fits; {entry.method.trainer} of {name} fits numbers"
            )
    identity = spec.model_dump(mode="json", exclude_none=True)
    identity["points"] = [problem.digest for problem in problems]
    parts = Parts(checkpoint and Checkpoint(checkpoint, identity))
    total = len(spec.entries) * sum(len(each.widths) for each in spec.problems)
    done, tables = 0, []
    for (raced, problem), name in product(zip(spec.problems, problems, strict=True), spec.entries):

        def tell(widths: int, done: int = done) -> None:
            progress(done + widths, total)

        compete = partial(_compete, spec, raced, problem, name, tell)
        tables.append(parts.tables(str(len(tables)), compete))
        done += len(raced.widths)
        progress(done, total)
    runs, tuning = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    # The exact solves need double precision.
    dtypes = {"float64" if trainer == "anmin" else "float32" for trainer in spec.trainers}
    return Outcome(runs, " and ".join(sorted(dtypes)), second=tuning)


def _compete(
    spec: RaceSpec, raced: RacedProblem, problem: Problem, name: str, tell: Callable[[int], None]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The runs and the tuning of one method on one problem."""
    entry, runs, tuning = spec.entries[name], [], []
    tell(0)
    for done, width in enumerate(raced.widths, start=1):
        train = partial(_train, spec, raced, problem, entry.method, width)
        tuned = _tune(train, entry, spec)
        best = entry.grid.candidates[tuned.loc[tuned["chosen"], "candidate"].iloc[0]]
        cell = {"problem": problem.name, "width": width, "method": name}
        runs.append(train([best] * spec.seeds, range(spec.seeds)).assign(**cell))
        tuning.append(tuned.assign(**cell))
        tell(done)
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
    spec: RaceSpec,
    raced: RacedProblem,
    problem: Problem,
    method: RacedMethod,
    width: int,
    candidates: Sequence[Candidate],
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Train one network for each candidate and seed; the trainer's table with a column of seeds."""
    trainer = import_module(f"hrta.study.experiments.trainers.{method.trainer}")
    task = Task(problem, width, method, candidates, seeds, raced.evaluations, spec.decay)
    history = trainer.train(task)
    if "test_loss" not in history:
        history["test_loss"] = np.nan
    if "answer" not in history:
        history["answer"] = True
    return history.assign(seed=np.asarray(seeds)[history["run"]])
