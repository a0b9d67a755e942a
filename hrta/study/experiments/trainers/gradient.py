"""Two-layer networks trained through the stages of a path, on all points or in minibatches."""

import time

import pandas as pd

from hrta.study.config.race_methods import GradientMethod
from hrta.study.experiments.trainers.task import RaceTask, timed
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.trainer import train as train_networks


def train(task: RaceTask[GradientMethod]) -> pd.DataFrame:
    """Minibatches have n / batches points, rounded down."""
    method, points = task.method, len(task.problem.y)
    size = max(1, points // method.batches)
    schedule = method.schedule(task.evaluations * points // size)
    networks = task.two_layer_networks(task.device)
    started = time.perf_counter()
    history = train_networks(
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
        plateau=method.rule,
        objective=TwoLayerRegression(),
    ).history
    # Before the last stage the network has another activation than at the end.
    history["answer"] = history["stage"] == method.stage_count
    return timed(history, started, size / points)
