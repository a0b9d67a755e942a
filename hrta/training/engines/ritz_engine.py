"""The numba engine of the Deep Ritz method: compiled loops, one network per thread."""

from typing import NamedTuple

import numpy as np

from hrta.networks.two_layer import TwoLayer
from hrta.problems.poisson import gauss_legendre, grid, monte_carlo
from hrta.runtime.processes import in_threads
from hrta.training.engines.engine import ThreadedEngine
from hrta.training.kernels import ritz
from hrta.training.kernels.ritz_arrays import Exact, make_network, make_points
from hrta.training.packing import pack, unpack
from hrta.training.task import Task

# Minimal number of points for errors. Their H^1 error of a trained network is accurate to 0.2 % in
# two dimensions and to 4 % in three.
MEASURING_POINTS = 1600
# Maximal number of points drawn at a time, for all seeds together.
DRAWN_POINTS = 2**20


class Samples(NamedTuple):
    """The points of T steps.

    Attributes:
        x: [T, d, n]; T = 0 for a grid, which is the same at every step.
        source: f, [T, n].
        exact_losses: the energy of the exact solution at each logged step, or of the grid.
    """

    x: np.ndarray
    source: np.ndarray
    exact_losses: np.ndarray | float


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
            self.longest_piece = max(1, DRAWN_POINTS // (points * len(set(seeds.tolist()))))
        # Monte Carlo points replace these at every step.
        self._quadrature = (x, problem.source(x), np.full(points, 1 / points))
        x, weights = gauss_legendre(MEASURING_POINTS, dimension)
        self._measuring = (x, problem.source(x), weights)
        self._exact = (problem.solution(x), np.ascontiguousarray(problem.gradient(x).T))
        # Compile here, in the main thread: only the main thread receives SIGTERM.
        self._draw(np.empty(0, bool))
        self._advance_run(0, 1.0, np.empty(0), np.empty(0, bool), np.empty((5, 0)))

    def advance(self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray) -> np.ndarray:
        self._draw(logged)
        return super().advance(s, factors, logged)

    def measure(self, s: np.ndarray) -> np.ndarray:
        # With the points of the next step.
        self._draw(np.ones(1, bool))
        return super().measure(s)

    def _advance_run(
        self, run: int, s: float, factors: np.ndarray, logged: np.ndarray, measured: np.ndarray
    ) -> int:
        samples = self._samples[self._seed_of(run)]
        width = self.task.networks.width
        measured[4] = samples.exact_losses
        updates = ritz.advance(
            make_points(*self._quadrature, width, self._scalar),
            samples.x,
            samples.source,
            Exact(make_points(*self._measuring, width, self._scalar), *self._exact),
            make_network(self.state.parameters[run]),
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
        # No update is made.
        return self._advance_run(run, s, np.empty(0), np.ones(1, bool), measured)

    def _seed_of(self, run: int) -> int | None:
        """The seed of the points of a run; None for a grid."""
        return None if self._seeds is None else int(self._seeds[self.state.runs[run]])

    def _draw(self, logged: np.ndarray) -> None:
        """Draw the points of the next steps once for each seed: many runs have the same seed."""
        seeds = sorted({self._seed_of(run) for run in np.flatnonzero(self.state.diverged < 0)})
        drawn = in_threads(lambda seed: self._samples_of(seed, logged), seeds)
        self._samples = dict(zip(seeds, drawn, strict=True))

    def _samples_of(self, seed: int | None, logged: np.ndarray) -> Samples:
        problem, first = self._problem, self.state.step
        if seed is None:
            shape = (0, problem.dimension, self._points)
            none = np.empty(shape, self._scalar)
            return Samples(none, none[:, 0], problem.minimum)
        x = monte_carlo(seed, first, first + len(logged), self._points, problem.dimension)
        return Samples(
            x=x.transpose(0, 2, 1).astype(self._scalar, order="C"),
            source=problem.source(x).astype(self._scalar),
            exact_losses=problem.energy(x[logged]),
        )

    def networks(self, runs: np.ndarray | slice = slice(None)) -> TwoLayer:
        return unpack(self.state.parameters[runs], self.task.networks.width)

    def _state_changed(self) -> None:
        pass
