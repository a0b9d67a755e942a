"""Regression by networks with locally adaptive activations.

Source: A. Jagtap, K. Kawaguchi and G. Karniadakis, Locally adaptive activation functions with slope
recovery for deep and physics-informed neural networks, Proc. R. Soc. A 476:20200334 (2020),
arXiv 1909.12228.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.problems.problem import Problem
from hrta.runtime.arguments import as_number, shown
from hrta.schedules import Schedule
from hrta.training.engines import ADAPTIVE_SLOPES
from hrta.training.engines.choice import make_engine
from hrta.training.engines.engine import Engine
from hrta.training.objectives.objective import Objective, decay_factors_one_by_one
from hrta.training.task import Task


@dataclass(frozen=True)
class AdaptiveSlopes(Objective):
    """mean_i (f(x_i) - y_i)^2 + recovery S(a), S as in `AdaptiveNetworks.slope_recovery`.

    There is no homotopy parameter: the schedule must be one stage with s = 1. The loss in the
    history is the mean square without S. Engines: numba on a CPU, in float32 or float64; torch on
    any device and in any dtype. auto is numba where it can be used.

    Attributes:
        recovery: weight of the slope recovery term; 0 for no such term.

    Raises:
        ValueError: recovery is negative or not finite.
    """

    name = "adaptive slopes"
    problem_type, networks_type = Problem, AdaptiveNetworks
    engines = ADAPTIVE_SLOPES
    accepts = frozenset({"optimizer"})

    recovery: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= as_number(self.recovery) < np.inf:
            raise ValueError(
                "adaptive slopes: recovery must be a non-negative number; it is "
                f"{shown(self.recovery)}"
            )

    def schedules(
        self, schedule: Schedule | Sequence[Schedule], networks: AdaptiveNetworks
    ) -> Sequence[Schedule]:
        schedules = super().schedules(schedule, networks)
        if any(len(each.stages) > 1 or each.stages[0].s != 1 for each in schedules):
            raise ValueError("train: adaptive slopes: schedule must be one stage with s = 1")
        return schedules

    def make_engine(self, task: Task) -> Engine:
        return make_engine(task, ADAPTIVE_SLOPES, task.networks.weights[0], self.recovery)

    def identity(self, task: Task) -> dict[str, object]:
        networks = task.networks
        return {
            "data": task.problem.digest,
            "recovery": self.recovery,
            "layers": [weight.shape[1:] for weight in networks.weights],
            "activation": [
                networks.activation,
                networks.adaptive,
                networks.scale,
                networks.factor,
            ],
        }

    def decay_factors(self, task: Task) -> np.ndarray:
        return decay_factors_one_by_one(task)
