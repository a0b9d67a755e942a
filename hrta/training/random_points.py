"""Random points of the Deep Ritz method, new ones at every step."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hrta.problems.poisson import PoissonProblem, monte_carlo
from hrta.runtime.processes import in_threads

# Maximal number of points drawn at a time, for all seeds together.
DRAWN_POINTS = 2**20


class Samples(NamedTuple):
    """The points of T steps.

    Attributes:
        x: [T, n, d].
        source: f at the points, [T, n].
        exact_losses: the energy of the exact solution at each logged step, [logged steps].
    """

    x: np.ndarray
    source: np.ndarray
    exact_losses: np.ndarray


@dataclass(frozen=True, eq=False)
class RandomPoints:
    """Independent uniform points on [0, 1]^d for each step, which depend on seed and step alone.

    Attributes:
        problem: the Poisson problem.
        points: n, the number of points of a step.
        seeds: the seed of each run, [R]; many runs may have the same one.
    """

    problem: PoissonProblem
    points: int
    seeds: np.ndarray

    @property
    def longest_piece(self) -> int:
        """The number of steps whose points are drawn at a time."""
        return max(1, DRAWN_POINTS // (self.points * len(set(self.seeds.tolist()))))

    def draw(self, runs: np.ndarray, first: int, logged: np.ndarray) -> dict[int, Samples]:
        """The points of some runs for the steps after `first`, by seed, each seed once.

        Args:
            runs: numbers of the runs.
            first: number of updates made.
            logged: whether each of the T steps is logged, [T].
        """
        seeds = np.unique(self.seeds[runs]).tolist()
        drawn = in_threads(lambda seed: self._draw_of(seed, first, logged), seeds)
        return dict(zip(seeds, drawn, strict=True))

    def _draw_of(self, seed: int, first: int, logged: np.ndarray) -> Samples:
        last = first + len(logged)
        x = monte_carlo(seed, first, last, self.points, self.problem.dimension)
        return Samples(x, self.problem.source(x), self.problem.energy(x[logged]))
