"""A path through the stages under an optimizer, on all points or in minibatches."""

import time
from functools import partial

import pandas as pd

from hrta.study.config.race_methods import GradientMethod
from hrta.study.experiments.trainers.task import Task, timed
from hrta.training.plateaus import train_with_plateaus
from hrta.training.two_layer import train as train_networks


def train(task: Task[GradientMethod]) -> pd.DataFrame:
    """Minibatches have n / batches points, rounded down; see the package."""
    method, points = task.method, len(task.problem.y)
    size = max(1, points // method.batches)
    schedule = method.schedule(task.evaluations * points // size)
    rule = method.rule
    train_along = partial(train_with_plateaus, plateau=rule) if rule else train_networks
    networks = task.two_layer_networks()
    started = time.perf_counter()
    history = train_along(
        task.problem,
        networks,
        schedule,
        optimizer=method.optimizer,
        learning_rate=task.learning_rates,
        momentum=task.candidates[0].momentum or 0.0,
        log_every=max(1, schedule.steps // task.rows),
        decay=task.decay,
        reset_optimizer=method.reset_optimizer,
        preserve_function=method.preserve_function,
        batch_size=size if method.batches > 1 else None,
        batch_seeds=task.seeds if method.batches > 1 else None,
    ).history
    # Before the last switch it is another function than the one that the method gives.
    history["answer"] = history["stage"] == method.stage_count
    return timed(history, started, size / points)
