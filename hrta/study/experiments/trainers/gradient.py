"""A path through the stages under an optimizer, on all points or in minibatches."""

import time
from collections.abc import Sequence
from functools import partial

import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.study.config.race_methods import Budget, Candidate, GradientMethod
from hrta.study.experiments.trainers import timed
from hrta.training.plateaus import train_with_plateaus
from hrta.training.two_layer import train as train_networks


def train(
    problem: Problem,
    width: int,
    method: GradientMethod,
    candidates: Sequence[Candidate],
    budget: Budget,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Minibatches have n / batches points, rounded down; see the package."""
    points = len(problem.y)
    size = max(1, points // method.batches)
    schedule = method.schedule(budget.evaluations * points // size)
    rule = method.rule
    train_along = partial(train_with_plateaus, plateau=rule) if rule else train_networks
    networks = TwoLayer.initialise(seeds, problem.inputs, width)
    started = time.perf_counter()
    history = train_along(
        problem,
        networks,
        schedule,
        optimizer=method.optimizer,
        learning_rate=[candidate.learning_rate for candidate in candidates],
        momentum=candidates[0].momentum or 0.0,
        log_every=max(1, schedule.steps // budget.rows),
        decay=budget.decay,
        reset_optimizer=method.reset_optimizer,
        preserve_function=method.preserve_function,
        batch_size=size if method.batches > 1 else None,
        batch_seeds=seeds if method.batches > 1 else None,
    ).history
    # Before the last switch it is another function than the one that the method gives.
    history["answer"] = history["stage"] == method.stage_count
    return timed(history, started, size / points)
