"""The numba engine of the Deep Ritz method: compiled loops, one network per thread."""

import numpy as np

from hrta.networks.two_layer import TwoLayer
from hrta.problems.poisson import gauss_legendre, grid, monte_carlo
from hrta.training.engines.engine import ThreadedEngine
from hrta.training.kernels import ritz
from hrta.training.packing import pack, unpack
from hrta.training.task import Task

# Minimal number of points for errors. Their H^1 error of a trained network is accurate to 0.2 % in
# two dimensions and to 4 % in three.
MEASURING_POINTS = 1600
# Maximal number of points drawn at a time.
DRAWN_POINTS = 2**16


class RitzEngine(ThreadedEngine):
    """Minimises the energy of a Poisson problem by Adam, on a CPU.

    The measures are those of `hrta.training.kernels.ritz.advance` and the energy of the exact
    solution by the same quadrature.

    Args:
        task: the training task, with a `PoissonProblem` and two-layer networks.
        points: n, the number of points of the quadrature.
        seeds: seeds of the random points of each run, [R], new at every step; None for a grid.
    """

    name = "numba"
    measures = rows = 5

    def __init__(self, task: Task, points: int, seeds: np.ndarray | None) -> None:
        super().__init__(task, pack(task.networks))
        self._scalar = self.state.parameters.dtype.type
        self._problem, self._points, self._seeds = task.problem, points, seeds
        problem, dimension = task.problem, task.problem.dimension
        x = grid(points, dimension) if seeds is None else np.zeros((points, dimension))
        if seeds is not None:
            self.longest_piece = max(1, DRAWN_POINTS // points)
        # Monte Carlo points replace these at every step.
        self._quadrature = (x, problem.source(x), np.full(points, 1 / points))
        x, weights = gauss_legendre(MEASURING_POINTS, dimension)
        self._measuring = (x, problem.source(x), weights)
        self._exact = (problem.solution(x), np.ascontiguousarray(problem.gradient(x).T))
        # Compile here, in the main thread: only the main thread receives SIGTERM.
        self._advance_run(0, 1.0, np.empty(0), np.empty(0, bool), np.empty((5, 0)))

    def _advance_run(
        self, run: int, s: float, factors: np.ndarray, logged: np.ndarray, measured: np.ndarray
    ) -> int:
        x = self._random_points(run, len(logged))
        minimum = self._problem.minimum
        measured[4] = minimum if self._seeds is None else self._problem.energy(x[logged])
        samples = x.astype(self._scalar), self._problem.source(x).astype(self._scalar)
        updates = ritz.advance(
            ritz.make_points(*self._quadrature, self._scalar),
            samples,
            ritz.Exact(ritz.make_points(*self._measuring, self._scalar), *self._exact),
            ritz.make_network(self.state.parameters[run]),
            self.state.moments[run],
            self.state.corrections[run],
            self._scalar(s),
            self.task.learning_rate[self.state.runs[run]] * factors,
            logged,
            measured[:4],
        )
        measured[4, np.isinf(measured[0])] = np.inf
        return updates

    def _measure_run(self, run: int, s: float, measured: np.ndarray) -> int:
        # With the points of the next step; no update is made.
        return self._advance_run(run, s, np.empty(0), np.ones(1, bool), measured)

    def _random_points(self, run: int, steps: int) -> np.ndarray:
        """The random points of the next steps, [steps, n, d]; empty for a grid."""
        first, dimension = self.state.step, self._problem.dimension
        if self._seeds is None:
            return np.empty((0, self._points, dimension))
        seed = self._seeds[self.state.runs[run]]
        return monte_carlo(seed, first, first + steps, self._points, dimension)

    def networks(self, runs: np.ndarray | slice = slice(None)) -> TwoLayer:
        return unpack(self.state.parameters[runs], self.task.networks.width)

    def _state_changed(self) -> None:
        pass
