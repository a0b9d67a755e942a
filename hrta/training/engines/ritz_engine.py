"""The numba engine of the Deep Ritz method: compiled loops, one network per thread."""

import numpy as np

from hrta.networks.two_layer import TwoLayer
from hrta.problems.poisson import MEASURING_POINTS, gauss_legendre, grid
from hrta.training.engines.engine import ThreadedEngine
from hrta.training.kernels import ritz
from hrta.training.kernels.ritz_arrays import Exact, make_network, make_points
from hrta.training.packing import pack, unpack
from hrta.training.random_points import RandomPoints, Samples
from hrta.training.task import Task


class RitzEngine(ThreadedEngine):
    """Minimises the energy of a Poisson problem by Adam, on a CPU.

    The measures are those of `hrta.training.kernels.ritz.advance` and the energy of the exact
    solution by the same quadrature.

    Args:
        task: the training task, with a `PoissonProblem` and two-layer networks.
        points: the random points of each step, or the number of points of a grid.
    """

    name = "numba"
    measures = rows = 5
    # By seed; with None the same for all.
    _samples: dict[int | None, Samples]

    def __init__(self, task: Task, points: RandomPoints | int) -> None:
        super().__init__(task, pack(task.networks))
        self._scalar = self.state.parameters.dtype.type
        problem, dimension = task.problem, task.problem.dimension
        self._random = points if isinstance(points, RandomPoints) else None
        if isinstance(points, RandomPoints):
            self.longest_piece = points.longest_piece
            # The points of each step replace these.
            x = np.zeros((points.points, dimension))
        else:
            x = grid(points, dimension)
        self._quadrature = (x, problem.source(x), np.full(len(x), 1 / len(x)))
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
        return None if self._random is None else int(self._random.seeds[self.state.runs[run]])

    def _draw(self, logged: np.ndarray) -> None:
        """Draw the points of the next steps, in the layout of the kernel."""
        if self._random is None:
            none = np.empty((0, self.task.problem.dimension, 0), self._scalar)
            self._samples = {None: Samples(none, none[:, 0], self.task.problem.minimum)}
            return
        alive = self.state.runs[self.state.diverged < 0]
        self._samples = {
            seed: Samples(
                drawn.x.transpose(0, 2, 1).astype(self._scalar, order="C"),
                drawn.source.astype(self._scalar),
                drawn.exact_losses,
            )
            for seed, drawn in self._random.draw(alive, self.state.step, logged).items()
        }

    def networks(self, runs: np.ndarray | slice = slice(None)) -> TwoLayer:
        return unpack(self.state.parameters[runs], self.task.networks.width)

    def _state_changed(self) -> None:
        pass
