"""Networks in training by the Deep Ritz method, one to a thread, so threads change no number."""

import numpy as np
import torch

from hrta.networks.two_layer import TwoLayer
from hrta.problems.poisson import PoissonProblem, gauss_legendre, grid, monte_carlo
from hrta.runtime.processes import in_threads
from hrta.runtime.resumable import Resumable
from hrta.training.kernels import ritz

# To measure errors by, at least. Of a trained network's H^1 error that is within 0.2 % in two
# dimensions, and 4 % in three.
MEASURING_POINTS = 1600


class RitzEngine(Resumable):
    """Trains each network by itself, on as many threads as torch has.

    Attributes:
        diverged: the step at which the energy of each run was found to be non-finite, [R]; -1 for a
            run that is well. The weights of a diverged run stay as they are, and all that is
            measured of it is infinite.
    """

    _of_each_run = ("diverged", "_rates", "_seeds", "_parameters", "_state", "_corrections")
    _kept = ("diverged", "_parameters", "_state", "_corrections", "_step")

    def __init__(
        self,
        problem: PoissonProblem,
        networks: TwoLayer,
        points: int,
        seeds: np.ndarray | None,
        rates: np.ndarray,
    ) -> None:
        """Begin with a copy of R networks.

        Args:
            problem: what is solved.
            networks: where training starts.
            points: n, of the quadrature.
            seeds: of each run's fresh points at every step, [R]; None for a grid.
            rates: learning rate of each run before decay, [R] float64.
        """
        both = (networks.inner.detach(), networks.outer.detach()[:, None])
        self._parameters = torch.cat(both, dim=1).numpy()
        self._kind = self._parameters.dtype.type
        self._state = np.zeros((networks.runs, 2, *self._parameters.shape[1:]), self._kind)
        self._corrections = np.zeros((networks.runs, 2))
        self._problem, self._points, self._rates = problem, points, rates
        self._fresh = seeds is not None
        self._seeds = seeds if self._fresh else np.zeros(networks.runs, int)
        dimension = problem.dimension
        # Fresh points take the place of these at every step.
        x = np.zeros((points, dimension)) if self._fresh else grid(points, dimension)
        self._quadrature = (x, problem.source(x), np.full(points, 1 / points))
        x, weights = gauss_legendre(MEASURING_POINTS, dimension)
        self._measuring = (x, problem.source(x), weights)
        self._exact = (problem.solution(x), np.ascontiguousarray(problem.gradient(x).T))
        self._step = 0
        self.diverged = np.full(networks.runs, -1)
        # Compiles here, in the main thread, which alone hears when the process is told to end.
        self._advance_run(0, 1.0, np.empty(0), np.empty(0, bool), np.empty((5, 0)))

    def advance(self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray) -> np.ndarray:
        """T updates.

        Args:
            s: homotopy parameter of each run, [R] float64.
            factors: of the learning rate at each step, [T] float64.
            logged: before which updates to measure, [T]; or [T + 1], also after the last.

        Returns:
            What `hrta.training.kernels.ritz.advance` measures of each run, and the energy of the
            exact solution by the same quadrature, [R, 5, logged].
        """
        measured = np.full((len(s), 5, np.count_nonzero(logged)), np.inf)

        def advance_run(run: int) -> int:
            return self._advance_run(run, s[run], factors, logged, measured[run])

        well = np.flatnonzero(self.diverged < 0)
        for run, updates in zip(well, in_threads(advance_run, well), strict=True):
            if updates >= 0:
                self.diverged[run] = self._step + updates
        self._step += len(factors)
        return measured

    def _advance_run(
        self, run: int, s: float, factors: np.ndarray, logged: np.ndarray, measured: np.ndarray
    ) -> int:
        x = self._fresh_points(run, len(logged))
        measured[4] = self._problem.energy(x[logged]) if self._fresh else self._problem.minimum
        samples = x.astype(self._kind), self._problem.source(x).astype(self._kind)
        return ritz.advance(
            ritz.make_points(*self._quadrature, self._kind),
            samples,
            ritz.Exact(ritz.make_points(*self._measuring, self._kind), *self._exact),
            ritz.make_network(self._parameters[run]),
            self._state[run],
            self._corrections[run],
            self._kind(s),
            self._rates[run] * factors,
            logged,
            measured[:4],
        )

    def _fresh_points(self, run: int, steps: int) -> np.ndarray:
        """Points of the next steps, [steps, n, d]; none for a grid."""
        until = self._step + (steps if self._fresh else 0)
        seed, dimension = self._seeds[run], self._problem.dimension
        return monte_carlo(seed, self._step, until, self._points, dimension)

    def branch(self, parents: np.ndarray) -> None:
        """Go on with copies of the runs `parents`, [R'] indices, and of their optimizers' state."""
        for name in self._of_each_run:
            setattr(self, name, getattr(self, name)[parents])

    def networks(self, same: np.ndarray) -> TwoLayer:
        """Copies of the networks `same`, [R'] indices, as they are now."""
        weights = torch.from_numpy(self._parameters[same])
        return TwoLayer(weights[:, :-1].contiguous(), weights[:, -1].contiguous())
