"""A path through the stages under an optimizer, on all points or in minibatches."""

import time
from collections.abc import Sequence

import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.study.config.contestants import Candidate, GradientMethod, Rules
from hrta.study.experiments.trainers import timed
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.trainer import train as train_networks


def train(
    problem: Problem,
    width: int,
    contestant: GradientMethod,
    candidates: Sequence[Candidate],
    rules: Rules,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Minibatches have n / batches points, rounded down; see the package."""
    points = len(problem.y)
    size = max(1, points // contestant.batches)
    schedule = contestant.schedule(rules.evaluations * points // size)
    networks = TwoLayer.initialise(seeds, problem.inputs, width)
    started = time.perf_counter()
    history = train_networks(
        problem,
        networks,
        schedule,
        optimizer=contestant.optimizer,
        learning_rate=[candidate.learning_rate for candidate in candidates],
        momentum=candidates[0].momentum or 0.0,
        log_every=max(1, schedule.steps // rules.rows),
        decay=rules.decay,
        reset_optimizer=contestant.reset_optimizer,
        preserve_function=contestant.preserve_function,
        batch_size=size if contestant.batches > 1 else None,
        batch_seeds=seeds if contestant.batches > 1 else None,
        plateau=contestant.rule,
        objective=TwoLayerRegression(),
    ).history
    # Before the last switch it is another function than the one that the method gives.
    history["answer"] = history["stage"] == contestant.stage_count
    return timed(history, started, size / points)
