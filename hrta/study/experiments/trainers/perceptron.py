"""Networks of any depth and activation under Adam: `ModuleFit`."""

import math
import time

import pandas as pd

from hrta.networks.perceptron import Perceptron
from hrta.study.config.race_methods import PerceptronMethod
from hrta.study.experiments.trainers.task import RaceTask, timed
from hrta.training.objectives.modules import ModuleFit
from hrta.training.trainer import train as train_models


def train(task: RaceTask[PerceptronMethod]) -> pd.DataFrame:
    """All hidden layers have the same width."""
    problem, method = task.problem, task.method
    sizes = (problem.inputs, task.width, method.hidden, problem.classes or 1)
    models = [Perceptron(*sizes, method.base, seed=seed).to(task.device) for seed in task.seeds]
    started = time.perf_counter()
    history = train_models(
        problem,
        models,
        method.schedules(task.evaluations),
        learning_rate=task.learning_rates,
        log_every=math.ceil(task.evaluations / task.rows),
        decay=task.decay,
        objective=ModuleFit(),
    ).history
    # Before the last stage the network has another activation than at the end.
    history["answer"] = history["stage"] == method.stage_count
    return timed(history, started)
