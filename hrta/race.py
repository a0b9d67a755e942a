"""The race: each contestant is tuned on seeds of its own, then runs from fresh ones.

A gradient evaluation is that of the loss on all points; a minibatch counts its part of them. For
ANMIN each of its exact solves counts as one, though it costs more: seconds tell.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, fields

import numpy as np
import pandas as pd

from hrta.contestants import (
    AdaptiveMethod,
    AnalyticMethod,
    Candidate,
    Contestant,
    Entry,
    GradientMethod,
    LimitedMemoryMethod,
)
from hrta.networks import TwoLayer
from hrta.problems import Problem
from hrta.race_results import ends

# Seeds for tuning are these and the following; the race has 0, 1, ...
FIRST_TUNING_SEED = 10_000


@dataclass(frozen=True)
class Rules:
    """What is the same for all contestants.

    Attributes:
        evaluations: of the gradient, for each run.
        tuning_seeds, seeds: how many.
        decay: final over initial learning rate, where there is one.
        rows: logged of each run, besides the first.
        final_fraction: of the steps, whose median loss is the final loss.
    """

    evaluations: int
    tuning_seeds: int
    seeds: int
    decay: float = 0.1
    rows: int = 200
    final_fraction: float = 0.02


def race(
    problem: Problem,
    method: str,
    entry: Entry,
    widths: Sequence[int],
    rules: Rules,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tune one contestant, then let it run.

    Every candidate of the grid is trained from the tuning seeds' weights. The one with the lowest
    median final loss, infinite for a run that diverged, is then trained from the others.

    Args:
        problem: the points.
        method: what the results call the contestant.
        entry: the contestant and its grid.
        widths: m.
        rules: as for every contestant.
        progress: called with the widths done and their number.

    Returns:
        runs: problem, width, method, seed, step, evaluations, seconds (of one run), loss,
            test_loss; a row for each run and logged step.
        tuning: problem, width, method, candidate, its parameters, seed, loss, test_loss (final),
            chosen; a row for each run.
    """
    runs, tuning = [], []
    for done, width in enumerate(widths, start=1):
        tuned = _tune(problem, entry, width, rules)
        best = entry.grid.candidates[tuned.loc[tuned["chosen"], "candidate"].iloc[0]]
        seeds = range(rules.seeds)
        history = train_contestant(problem, entry.contestant, best, width, seeds, rules)
        runs.append(history.assign(problem=problem.name, width=width, method=method))
        tuning.append(tuned.assign(problem=problem.name, width=width, method=method))
        if progress is not None:
            progress(done, len(widths))
    return _ordered(runs, ["seed", "step", "evaluations", "seconds"]), _ordered(
        tuning, ["candidate", *(field.name for field in fields(Candidate)), "seed"], ["chosen"]
    )


def _ordered(
    tables: list[pd.DataFrame], names: list[str], last: Sequence[str] = ()
) -> pd.DataFrame:
    table = pd.concat(tables, ignore_index=True)
    return table[["problem", "width", "method", *names, "loss", "test_loss", *last]]


def _tune(problem: Problem, entry: Entry, width: int, rules: Rules) -> pd.DataFrame:
    """The final losses of all candidates from the tuning seeds."""
    seeds = range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + rules.tuning_seeds)
    tables = []
    for number, candidate in enumerate(entry.grid.candidates):
        history = train_contestant(problem, entry.contestant, candidate, width, seeds, rules)
        # The statistics of the race want these names.
        named = history.assign(problem=problem.name, width=width, method="")
        parameters = {
            field.name: np.nan if value is None else value
            for field, value in zip(fields(Candidate), astuple(candidate), strict=True)
        }
        final = ends(named, rules.final_fraction)[["seed", "loss", "test_loss"]]
        tables.append(final.assign(candidate=number, **parameters))
    table = pd.concat(tables, ignore_index=True)
    medians = table.groupby("candidate")["loss"].median().fillna(np.inf)
    return table.assign(chosen=table["candidate"] == medians.idxmin())


def train_contestant(
    problem: Problem,
    contestant: Contestant,
    candidate: Candidate,
    width: int,
    seeds: Sequence[int],
    rules: Rules,
) -> pd.DataFrame:
    """Train one network from each seed.

    Returns:
        seed, step, evaluations, seconds, loss and test_loss (NaN without a test set); a row for
        each run and logged step. Losses are R_s = 1/(2n) sum of squares, whatever is minimised.
    """
    train = {
        GradientMethod: _gradient,
        AdaptiveMethod: _laaf,
        LimitedMemoryMethod: _lbfgs,
        AnalyticMethod: _anmin,
    }[type(contestant)]
    networks = TwoLayer.initialise(seeds, problem.inputs, width)
    history = train(problem, networks, contestant, candidate, rules, seeds)
    if "test_loss" not in history:
        history["test_loss"] = np.nan
    history["seed"] = np.asarray(seeds)[history["run"]]
    return history[["seed", "step", "evaluations", "seconds", "loss", "test_loss"]]


def _gradient(
    problem: Problem,
    networks: TwoLayer,
    contestant: GradientMethod,
    candidate: Candidate,
    rules: Rules,
    seeds: Sequence[int],
) -> pd.DataFrame:
    from hrta.schedules import Schedule
    from hrta.training import train

    points = len(problem.y)
    size = -(-points // contestant.batches)
    stage_steps = rules.evaluations * points // (size * len(contestant.s))
    schedule = Schedule.constant_length(contestant.s, stage_steps)
    started = time.perf_counter()
    history = train(
        problem,
        networks,
        schedule,
        contestant.optimizer,
        candidate.learning_rate,
        candidate.momentum or 0.0,
        max(1, schedule.steps // rules.rows),
        decay=rules.decay,
        batch_size=size if contestant.batches > 1 else None,
        batch_seeds=seeds if contestant.batches > 1 else None,
    ).history
    return _timed(history, started, size / points)


def _laaf(
    problem: Problem,
    networks: TwoLayer,
    contestant: AdaptiveMethod,
    candidate: Candidate,
    rules: Rules,
    seeds: Sequence[int],
) -> pd.DataFrame:
    from hrta.laaf import DeepNetworks, train

    start = DeepNetworks.of_two_layer(
        networks, contestant.activation, contestant.adaptive, contestant.scale
    )
    started = time.perf_counter()
    history, _ = train(
        problem,
        start,
        rules.evaluations,
        candidate.learning_rate,
        decay=rules.decay,
        recovery=contestant.recovery,
        log_every=max(1, rules.evaluations // rules.rows),
    )
    # It minimises the mean square; ours is half of it.
    for name in history.columns.intersection(["loss", "test_loss"]):
        history[name] /= 2
    return _timed(history, started)


def _timed(history: pd.DataFrame, started: float, evaluations: float = 1.0) -> pd.DataFrame:
    """With evaluations, so many at each step, and a run's share of the time since."""
    runs, steps = history["run"].max() + 1, history["step"].max()
    each = (time.perf_counter() - started) / (runs * steps)
    return history.assign(evaluations=history["step"] * evaluations, seconds=history["step"] * each)


def _lbfgs(
    problem: Problem,
    networks: TwoLayer,
    contestant: LimitedMemoryMethod,
    candidate: Candidate,
    rules: Rules,
    seeds: Sequence[int],
) -> pd.DataFrame:
    from hrta.lbfgs import train

    rate, remembered = candidate.learning_rate, candidate.history_size
    return train(problem, networks, rules.evaluations, rate, remembered)[0]


def _anmin(
    problem: Problem,
    networks: TwoLayer,
    contestant: AnalyticMethod,
    candidate: Candidate,
    rules: Rules,
    seeds: Sequence[int],
) -> pd.DataFrame:
    from hrta.anmin import SingularSystemError, train

    test = None if problem.x_test is None else (problem.x_test, problem.y_test)
    tables = []
    for run, inner in enumerate(networks.inner.double().numpy()):
        started = time.perf_counter()
        rounds = np.arange(contestant.rounds + 1)
        losses = test_losses = np.full(len(rounds), np.inf)
        with suppress(SingularSystemError):
            trained = train(
                *(problem.x, problem.y, inner),
                *(contestant.rounds, candidate.ridge, contestant.leak),
                test=test,
            )
            losses, test_losses = trained.losses, trained.test_losses
        seconds = time.perf_counter() - started
        table = pd.DataFrame(
            {
                "run": run,
                "step": rounds,
                "evaluations": 1.0 + 2 * rounds,
                "seconds": seconds * (1 + 2 * rounds) / (1 + 2 * contestant.rounds),
                "loss": losses / 2,
            }
        )
        tables.append(table if test is None else table.assign(test_loss=test_losses / 2))
    return pd.concat(tables, ignore_index=True)
