"""Limited-memory BFGS: `hrta.training.lbfgs`."""

from collections.abc import Sequence

import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.study.config.race_methods import Budget, Candidate, LimitedMemoryMethod
from hrta.training.lbfgs import train as train_networks


def train(
    problem: Problem,
    width: int,
    method: LimitedMemoryMethod,
    candidates: Sequence[Candidate],
    budget: Budget,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """The line search's evaluations count; as `hrta.study.experiments.trainers` says."""
    networks = TwoLayer.initialise(seeds, problem.inputs, width)
    rates = [candidate.learning_rate for candidate in candidates]
    remembered = candidates[0].history_size
    return train_networks(problem, networks, budget.evaluations, rates, remembered)[0]
