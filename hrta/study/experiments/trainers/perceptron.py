"""Networks of any depth and activation under Adam: `hrta.training.modules`."""

import math
import time
from collections.abc import Sequence

import pandas as pd

from hrta.networks.perceptron import Perceptron
from hrta.problems.problem import Problem
from hrta.study.config.race_methods import Budget, Candidate, PerceptronMethod
from hrta.study.experiments.trainers import timed
from hrta.training.modules import train as train_models


def train(
    problem: Problem,
    width: int,
    method: PerceptronMethod,
    candidates: Sequence[Candidate],
    budget: Budget,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """All hidden layers have the width; as `hrta.study.experiments.trainers` says."""
    sizes = (problem.inputs, width, method.hidden, problem.classes or 1)
    models = [Perceptron(*sizes, method.base, seed=seed) for seed in seeds]
    started = time.perf_counter()
    history = train_models(
        problem,
        models,
        method.schedules(budget.evaluations),
        [candidate.learning_rate for candidate in candidates],
        math.ceil(budget.evaluations / budget.rows),
        decay=budget.decay,
    ).history
    # Before the last switch it is another function than the one that the method gives.
    history["answer"] = history["stage"] == method.stage_count
    return timed(history, started)
