"""The Deep Ritz method: two-layer ReLU^2 networks minimise the energy of a Poisson problem.

Source: W. E and B. Yu, The Deep Ritz Method, arXiv 1710.00211; with homotopy relaxation training
arXiv 2309.15244 (scaling, quadrature and optimizer are assumed).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hrta.activations import homotopy
from hrta.networks.two_layer import TwoLayer, with_bias
from hrta.problems.poisson import QUADRATURES, PoissonProblem, grid
from hrta.runtime.arguments import as_integer, check_one_of
from hrta.runtime.memory import need_memory
from hrta.training.engines import DEEP_RITZ
from hrta.training.engines.choice import make_engine
from hrta.training.engines.engine import Engine
from hrta.training.objectives.objective import Objective
from hrta.training.random_points import RandomPoints
from hrta.training.task import Task, one_seed_per_run


@dataclass(frozen=True)
class DeepRitz(Objective):
    """E(phi_s) = 1/2 int |grad phi|^2 + 1/2 (int phi)^2 - int f phi over both layers, under Adam.

    The integrals are means over n points; s is that of the stage. The history has loss (the energy
    by the quadrature of training), exact_loss (that of the exact solution by the same quadrature),
    energy (by an accurate quadrature), l2_error and h1_error (relative). Engines: numba on a
    CPU, in float32 or float64; torch on any device and in any dtype. auto is numba where it can be
    used.

    Attributes:
        points: n, the number of points of the quadrature.
        quadrature: grid (the same midpoints at every step, n = k^d) or monte_carlo (new uniform
            points at every step).
        seeds: seeds of the points of monte_carlo, [R]; by default 0 .. R - 1.

    Raises:
        ValueError: an unknown quadrature, n not a positive integer, or seeds for a grid.
    """

    name = "Deep Ritz"
    problem_type, networks_type = PoissonProblem, TwoLayer
    engines = DEEP_RITZ
    accepts = frozenset({"reset_optimizer"})

    points: int = 400
    quadrature: str = "grid"
    seeds: Sequence[int] | None = None

    def __post_init__(self) -> None:
        check_one_of(self.quadrature, QUADRATURES, "Deep Ritz: quadrature")
        object.__setattr__(self, "points", as_integer(self.points, "Deep Ritz: points"))
        if self.quadrature == "grid" and self.seeds is not None:
            raise ValueError("Deep Ritz: seeds must not be given for a grid")

    def check(self, task: Task) -> None:
        super().check(task)
        if self.quadrature == "grid":
            grid(self.points, task.networks.inputs)
        else:
            size = 8 * self.points * task.networks.inputs
            need_memory(size, f"Deep Ritz: {self.points} points of a step")

    def make_engine(self, task: Task) -> Engine:
        count, seeds = self.points, self.seeds_of_runs(task)
        points = count if seeds is None else RandomPoints(task.problem, count, seeds)
        return make_engine(task, DEEP_RITZ, task.networks.inner, points)

    def identity(self, task: Task) -> dict[str, object]:
        modes = task.problem.modes
        return {"modes": modes, "points": self.points, "quadrature": self.quadrature}

    def seeds_of_runs(self, task: Task) -> np.ndarray | None:
        if self.quadrature == "grid":
            return None
        return one_seed_per_run(self.seeds, task.runs, "Deep Ritz: seeds")

    def columns(self, task: Task, measured: np.ndarray) -> dict[str, np.ndarray]:
        loss, square, slope_square, mean, exact_loss = measured
        size, slope_size = task.problem.square, task.problem.gradient_square
        return {
            "loss": loss,
            "exact_loss": exact_loss,
            # This form of E(phi) has no cancellation.
            "energy": task.problem.minimum + (slope_square + mean**2) / 2,
            "l2_error": np.sqrt(square / size),
            "h1_error": np.sqrt((square + slope_square) / (size + slope_size)),
        }


def predict(
    networks: TwoLayer, x: np.ndarray | Tensor, s: float | Sequence[float] | Tensor
) -> Tensor:
    """phi_s = (1/sqrt(m)) sum_k a_k sigma_s(w_k . (x, 1)) at the points x [n, d], [R, n].

    sigma_s(z) = (1 - s) z + s relu(z)^2 / 2; s is a number or one for each network, [R].
    """
    s = torch.as_tensor(s).to(networks.inner).view(-1, 1, 1)
    hidden = homotopy(with_bias(x, networks.inner) @ networks.inner, s, "relu2")
    return (hidden @ networks.outer[:, :, None]).squeeze(-1) / networks.width**0.5
