"""Networks of any depth and activation under Adam: `hrta.training.modules`."""

import math
import time

import pandas as pd

from hrta.networks.perceptron import Perceptron
from hrta.study.config.race_methods import PerceptronMethod
from hrta.study.experiments.trainers.task import Task, timed
from hrta.training.modules import train as train_models


def train(task: Task[PerceptronMethod]) -> pd.DataFrame:
    """All hidden layers have the width; see the package."""
    problem, method = task.problem, task.method
    sizes = (problem.inputs, task.width, method.hidden, problem.classes or 1)
    models = [Perceptron(*sizes, method.base, seed=seed) for seed in task.seeds]
    started = time.perf_counter()
    history = train_models(
        problem,
        models,
        method.schedules(task.evaluations),
        task.learning_rates,
        math.ceil(task.evaluations / task.rows),
        decay=task.decay,
    ).history
    # Before the last switch it is another function than the one that the method gives.
    history["answer"] = history["stage"] == method.stage_count
    return timed(history, started)
