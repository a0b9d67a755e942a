"""Regression by two-layer homotopy networks, the training of the paper."""

from dataclasses import dataclass

import numpy as np

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.training.engines import TWO_LAYER
from hrta.training.engines.choice import make_engine
from hrta.training.engines.engine import Engine
from hrta.training.objectives.objective import OPTIONAL, Objective
from hrta.training.task import Task


@dataclass(frozen=True)
class TwoLayerRegression(Objective):
    """R_s = 1/(2n) sum_i (phi_s(x_i) - y_i)^2 over both layers, with the s of the stage.

    The loss in the history is that of all points, also with minibatches. Engines: torch, numba,
    triton; see `hrta.training.engines.choice.make_engine`.

    Source: arXiv 2309.15244, abstract; loss and scaling are assumed.
    """

    name = "two-layer regression"
    problem_type, networks_type = Problem, TwoLayer
    engines = TWO_LAYER
    accepts = frozenset(OPTIONAL)

    def make_engine(self, task: Task) -> Engine:
        return make_engine(task, TWO_LAYER, task.networks.inner)

    def identity(self, task: Task) -> dict[str, object]:
        return {"data": task.problem.digest}

    def seeds_of_runs(self, task: Task) -> np.ndarray | None:
        return None if task.batches is None else task.batches.seeds
