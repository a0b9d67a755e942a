"""Limited-memory BFGS: `hrta.training.lbfgs`."""

import pandas as pd

from hrta.study.config.race_methods import LimitedMemoryMethod
from hrta.study.experiments.trainers.task import RaceTask
from hrta.training.lbfgs import train as train_networks


def train(task: RaceTask[LimitedMemoryMethod]) -> pd.DataFrame:
    """On the CPU. The evaluations of the line search count."""
    networks, history_size = task.two_layer_networks("cpu"), task.candidates[0].history_size
    rates = task.learning_rates
    return train_networks(task.problem, networks, task.evaluations, rates, history_size)[0]
