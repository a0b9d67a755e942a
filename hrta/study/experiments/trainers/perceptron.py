"""Networks of any depth and activation under Adam: `ModuleFit`."""

import math
import time
from collections.abc import Sequence

import pandas as pd

from hrta.networks.perceptron import Perceptron
from hrta.problems.problem import Problem
from hrta.study.config.contestants import Candidate, PerceptronMethod, Rules
from hrta.study.experiments.trainers import timed
from hrta.training.objectives.modules import ModuleFit
from hrta.training.trainer import train as train_models


def train(
    problem: Problem,
    width: int,
    contestant: PerceptronMethod,
    candidates: Sequence[Candidate],
    rules: Rules,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """All hidden layers have the width; as `hrta.study.experiments.trainers` says."""
    sizes = (problem.inputs, width, contestant.hidden, problem.classes or 1)
    models = [Perceptron(*sizes, contestant.base, seed=seed) for seed in seeds]
    started = time.perf_counter()
    history = train_models(
        problem,
        models,
        contestant.schedules(rules.evaluations),
        learning_rate=[candidate.learning_rate for candidate in candidates],
        log_every=math.ceil(rules.evaluations / rules.rows),
        decay=rules.decay,
        objective=ModuleFit(),
    ).history
    # Before the last switch it is another function than the one that the method gives.
    history["answer"] = history["stage"] == contestant.stage_count
    return timed(history, started)
