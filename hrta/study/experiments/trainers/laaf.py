"""Two-layer networks with locally adaptive activations under Adam: `AdaptiveSlopes`."""

import time

import pandas as pd

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.schedules import Schedule, Stage
from hrta.study.config.race_methods import AdaptiveMethod
from hrta.study.experiments.trainers.task import Task, timed
from hrta.training.objectives.adaptive import AdaptiveSlopes
from hrta.training.trainer import train as train_networks


def train(task: Task[AdaptiveMethod]) -> pd.DataFrame:
    """From the very weights that the others start from; see the package."""
    method = task.method
    start = AdaptiveNetworks.of_two_layer(
        task.two_layer_networks(), method.activation, method.adaptive, method.scale
    )
    started = time.perf_counter()
    history = train_networks(
        task.problem,
        start,
        Schedule([Stage(1.0, task.evaluations)]),
        learning_rate=task.learning_rates,
        log_every=max(1, task.evaluations // task.rows),
        decay=task.decay,
        objective=AdaptiveSlopes(task.candidates[0].recovery or 0.0),
    ).history
    # It minimises the mean square; ours is half of it.
    for name in history.columns.intersection(["loss", "test_loss"]):
        history[name] /= 2
    return timed(history, started)
