"""Limited-memory BFGS: `hrta.training.lbfgs`."""

import pandas as pd

from hrta.study.config.race_methods import LimitedMemoryMethod
from hrta.study.experiments.trainers.task import Task
from hrta.training.lbfgs import train as train_networks


def train(task: Task[LimitedMemoryMethod]) -> pd.DataFrame:
    """The line search's evaluations count; see the package."""
    networks, remembered = task.two_layer_networks(), task.candidates[0].history_size
    rates = task.learning_rates
    return train_networks(task.problem, networks, task.evaluations, rates, remembered)[0]
