"""The race: every method is tuned on tuning seeds, then trained from other seeds.

Costs are counted in gradient evaluations of the loss on all points; a minibatch counts as its
fraction of the points. An exact solve of ANMIN counts as one evaluation, though it takes longer.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib import import_module
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.problems.problem import Problem
from hrta.runtime.checkpoints import Checkpoint, Parts
from hrta.study.analysis.final import final_race_results, race_measures
from hrta.study.analysis.schema import RACE, TUNING
from hrta.study.config.race_methods import CLASSIFIERS, ON_CPU, Candidate, Entry, RacedMethod
from hrta.study.config.race_spec import RacedProblem, RaceSpec
from hrta.study.experiments.devices import choose_device, name_of
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.study.experiments.trainers.task import RaceTask

LOG = logging.getLogger(__name__)
# The first of the tuning seeds; the seeds of the race are 0, 1, ...
FIRST_TUNING_SEED = 10_000


def run(spec: RaceSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Tune each method on each problem at each width, then train it from the seeds of the race.

    Every candidate of the grid is trained from the tuning seeds. The candidate with the lowest
    median final loss is chosen, among those without a diverged run if there are any.

    Returns:
        Rows of `RACE`, one for each run and logged step: seconds are those of one run, answer says
        whether the network has the activation of the last stage, test_error only for classes. As
        second table rows of `TUNING`, one for each tuning run, with its final losses.

    Raises:
        ValueError: a problem with classes and a method that only fits numbers; or a checkpoint of
            another race.
    """
    problems = [load_problem(each.problem) for each in spec.problems]
    for problem, (name, entry) in product(problems, spec.entries.items()):
        if problem.classes is not None and entry.method.trainer not in CLASSIFIERS:
            raise ValueError(
                f"race: {problem.name} has classes; {entry.method.trainer} of {name} fits numbers, "
                f"classes need trainer {' or '.join(CLASSIFIERS)}"
            )
    device = device_of(spec)
    identity = spec.model_dump(mode="json", exclude_none=True)
    identity["points"] = [problem.digest for problem in problems]
    parts = Parts(checkpoint and Checkpoint(checkpoint, identity))
    total = len(spec.entries) * sum(len(each.widths) for each in spec.problems)
    done, tables = 0, []
    for (raced, problem), name in product(zip(spec.problems, problems, strict=True), spec.entries):

        def report(widths: int, done: int = done) -> None:
            progress(done + widths, total)

        compete = partial(_compete, spec, device, raced, problem, name, report)
        tables.append(parts.tables(str(len(tables)), compete))
        done += len(raced.widths)
        progress(done, total)
    runs, tuning = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    # Exact solves are in double precision.
    dtypes = {"float64" if trainer == "anmin" else "float32" for trainer in spec.trainers}
    return Outcome(runs, " and ".join(sorted(dtypes)), device=name_of(device), second=tuning)


def device_of(spec: RaceSpec) -> str:
    """Where the methods are trained; the CPU if none of them can use a GPU."""
    # A job that cannot use a GPU may run where there is none.
    device = choose_device(spec.device if spec.can_use_gpu else "auto")
    if device == "cpu":
        return device
    for trainer in sorted(spec.trainers & ON_CPU.keys()):
        LOG.warning("%s: trained on the CPU, %s", trainer, ON_CPU[trainer])
    return device if spec.can_use_gpu else "cpu"


def _compete(
    spec: RaceSpec,
    device: str,
    raced: RacedProblem,
    problem: Problem,
    name: str,
    report: Callable[[int], None],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The runs and the tuning of one method on one problem."""
    entry, runs, tuning = spec.entries[name], [], []
    report(0)
    for done, width in enumerate(raced.widths, start=1):
        train = partial(_train, spec, device, raced, problem, entry.method, width)
        tuned = _tune(train, entry, spec)
        best = entry.grid.candidates[tuned.loc[tuned["chosen"], "candidate"].iloc[0]]
        cell = {"problem": problem.name, "width": width, "method": name}
        runs.append(train([best] * spec.seeds, range(spec.seeds)).assign(**cell))
        tuning.append(tuned.assign(**cell))
        report(done)
    runs, tuning = (pd.concat(tables, ignore_index=True) for tables in (runs, tuning))
    return RACE.select(runs), TUNING.select(tuning)


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
        # `final_race_results` identifies runs by these columns; a run is a candidate with a seed.
        named = history.assign(problem="", width=0, method="", seed=history["run"])
        final = final_race_results(named, spec.final_fraction)
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
    """The candidates in groups that differ only in the learning rate: one ensemble each."""
    groups = {}
    for candidate in candidates:
        groups.setdefault(replace(candidate, learning_rate=None), []).append(candidate)
    return list(groups.values())


def _train(
    spec: RaceSpec,
    device: str,
    raced: RacedProblem,
    problem: Problem,
    method: RacedMethod,
    width: int,
    candidates: Sequence[Candidate],
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Train one network for each candidate and seed; the trainer's table with the seeds."""
    trainer = import_module(f"hrta.study.experiments.trainers.{method.trainer}")
    task = RaceTask(
        problem, width, method, candidates, seeds, raced.evaluations, spec.decay, device
    )
    history = trainer.train(task)
    if "test_loss" not in history:
        history["test_loss"] = np.nan
    if "answer" not in history:
        history["answer"] = True
    return history.assign(seed=np.asarray(seeds)[history["run"]])
