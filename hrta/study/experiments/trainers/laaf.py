"""Two-layer networks with locally adaptive activations under Adam: `hrta.training.adaptive`."""

import time

import pandas as pd

from hrta.study.config.race_methods import AdaptiveMethod
from hrta.study.experiments.trainers.task import Task, timed
from hrta.training.adaptive import DeepNetworks
from hrta.training.adaptive import train as train_networks


def train(task: Task[AdaptiveMethod]) -> pd.DataFrame:
    """From the very weights that the others start from; see the package."""
    method = task.method
    start = DeepNetworks.of_two_layer(
        task.two_layer_networks(), method.activation, method.adaptive, method.scale
    )
    started = time.perf_counter()
    history, _ = train_networks(
        task.problem,
        start,
        task.evaluations,
        task.learning_rates,
        decay=task.decay,
        recovery=task.candidates[0].recovery or 0.0,
        log_every=max(1, task.evaluations // task.rows),
    )
    # It minimises the mean square; ours is half of it.
    for name in history.columns.intersection(["loss", "test_loss"]):
        history[name] /= 2
    return timed(history, started)
