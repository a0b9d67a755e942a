"""Exact alternating minimisation: `hrta.anmin`."""

import time
from contextlib import suppress

import numpy as np
import pandas as pd

from hrta.anmin import SingularSystemError
from hrta.anmin import train as train_network
from hrta.study.config.race_methods import AnalyticMethod
from hrta.study.experiments.trainers.task import RaceTask


def train(task: RaceTask[AnalyticMethod]) -> pd.DataFrame:
    """Every exact solve counts as one evaluation; a run with a singular system has diverged."""
    problem, method = task.problem, task.method
    most = min(method.rounds, (task.evaluations - 1) // 2)
    test = None if problem.x_test is None else (problem.x_test, problem.y_test)
    tables = []
    for run, inner in enumerate(task.two_layer_networks("cpu").inner.double().numpy()):
        started, ridge = time.perf_counter(), task.candidates[run].ridge
        rounds = np.arange(most + 1)
        losses = test_losses = np.full(len(rounds), np.inf)
        with suppress(SingularSystemError):
            trained = train_network(
                problem.x, problem.y, inner, most, ridge, method.leak, test=test
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
