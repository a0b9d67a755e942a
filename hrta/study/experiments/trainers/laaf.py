"""Two-layer networks with locally adaptive activations under Adam: `AdaptiveSlopes`."""

import time

import pandas as pd

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.schedules import Schedule, Stage
from hrta.study.config.race_methods import AdaptiveMethod
from hrta.study.experiments.trainers.task import RaceTask, timed
from hrta.training.objectives.adaptive import AdaptiveSlopes
from hrta.training.trainer import train as train_networks


def train(task: RaceTask[AdaptiveMethod]) -> pd.DataFrame:
    """The networks start from the same weights as those of the other methods."""
    method = task.method
    start = AdaptiveNetworks.of_two_layer(
        task.two_layer_networks(task.device), method.activation, method.adaptive, method.scale
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
    # The objective is the mean square; the race has half of it.
    for name in history.columns.intersection(["loss", "test_loss"]):
        history[name] /= 2
    return timed(history, started)
