"""Exact alternating minimisation: `hrta.anmin`."""

import time
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pandas as pd

from hrta.anmin import SingularSystemError
from hrta.anmin import train as train_network
from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.study.config.race_methods import AnalyticMethod, Budget, Candidate


def train(
    problem: Problem,
    width: int,
    method: AnalyticMethod,
    candidates: Sequence[Candidate],
    budget: Budget,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """An exact solve counts as an evaluation, a singular system as divergence."""
    most = min(method.rounds, (budget.evaluations - 1) // 2)
    test = None if problem.x_test is None else (problem.x_test, problem.y_test)
    networks = TwoLayer.initialise(seeds, problem.inputs, width)
    tables = []
    for run, inner in enumerate(networks.inner.double().numpy()):
        started = time.perf_counter()
        rounds = np.arange(most + 1)
        losses = test_losses = np.full(len(rounds), np.inf)
        with suppress(SingularSystemError):
            trained = train_network(
                *(problem.x, problem.y, inner),
                *(most, candidates[run].ridge, method.leak),
                test=test,
            )
            losses, test_losses = trained.losses, trained.test_losses
        seconds = time.perf_counter() - started
        table = pd.DataFrame(
            {
                "run": run,
                "step": rounds,
                "evaluations": 1.0 + 2 * rounds,
                "seconds": seconds * (1 + 2 * rounds) / (1 + 2 * most),
                "loss": losses / 2,
            }
        )
        tables.append(table if test is None else table.assign(test_loss=test_losses / 2))
    return pd.concat(tables, ignore_index=True)
