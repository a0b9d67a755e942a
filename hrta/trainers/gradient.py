"""Stages of equal length under an optimizer, on all points or in minibatches: `hrta.train`."""

import time
from collections.abc import Sequence

import pandas as pd

from hrta.contestants import Candidate, GradientMethod, Rules
from hrta.networks import TwoLayer
from hrta.problems import Problem
from hrta.schedules import Schedule
from hrta.trainers import timed
from hrta.training import train as train_networks


def train(
    problem: Problem,
    networks: TwoLayer,
    contestant: GradientMethod,
    candidates: Sequence[Candidate],
    rules: Rules,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Minibatches have n / batches points, rounded down; as `hrta.trainers` says."""
    points = len(problem.y)
    size = max(1, points // contestant.batches)
    stage_steps = rules.evaluations * points // (size * len(contestant.s))
    schedule = Schedule.constant_length(contestant.s, stage_steps)
    started = time.perf_counter()
    history = train_networks(
        problem,
        networks,
        schedule,
        contestant.optimizer,
        [candidate.learning_rate for candidate in candidates],
        candidates[0].momentum or 0.0,
        max(1, schedule.steps // rules.rows),
        decay=rules.decay,
        batch_size=size if contestant.batches > 1 else None,
        batch_seeds=seeds if contestant.batches > 1 else None,
    ).history
    # Before the last switch it is another function than the one that the method gives.
    history["answer"] = history["stage"] == len(contestant.s)
    return timed(history, started, size / points)
