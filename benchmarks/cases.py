"""The problem of the benchmarks and the sizes at which it is timed.

n random points in [0, 1]^d, y = sin(2 pi sum_j x_j), both layers trained on the full batch by Adam
with learning rate 1e-3, s = 1 (plain ReLU, which every library has), from the same weights.
"""

from dataclasses import dataclass

import numpy as np
import torch

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.schedules import Schedule, Stage
from hrta.training.packing import points_and_targets
from hrta.training.task import Task

LEARNING_RATE = 1e-3
POINTS, WIDTH = 100, 1000
# Networks in an ensemble: as in the replication; more are needed to use a whole GPU.
RUNS = {"cpu": (20,), "cuda": (256,)}
# So many networks keep all processors of a GPU busy until the end.
MANY_RUNS = 2000

WIDTHS = (50, 200, 1000, 5000, 20000)
GROWTH_WIDTHS = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000)
GROWTH_POINTS = (25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
GROWTH_RUNS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
GROWTH_INPUTS = (1, 2, 3, 5, 10, 20, 30, 50, 100)


@dataclass(frozen=True)
class Case:
    """R networks of m neurons with d inputs, on n points."""

    d: int
    m: int
    n: int = POINTS
    R: int = 20

    def make(self, device: str = "cpu", dtype: torch.dtype = torch.float32) -> "Start":
        """The start of the training."""
        networks = TwoLayer.initialise(range(self.R), self.d, self.m, dtype, device)
        x = np.random.default_rng(0).uniform(size=(self.n, self.d))
        problem = Problem("sine", x, np.sin(2 * np.pi * x.sum(1)))
        schedules = [Schedule([Stage(1.0, 1)])] * self.R
        task = Task(problem, networks, schedules, "adam", LEARNING_RATE)
        return Start(networks, *points_and_targets(problem.x, problem.y, networks.inner), task)


@dataclass(frozen=True, eq=False)
class Start:
    """The start of the training, the same for all contenders.

    Attributes:
        networks: the networks.
        x, y: points with a last column of ones, and targets.
        task: the same, for the engines of hrta.
    """

    networks: TwoLayer
    x: torch.Tensor
    y: torch.Tensor
    task: Task


def side_by_side(device: str, quick: bool) -> list[Case]:
    """The cases on which all contenders are timed."""
    runs = RUNS[device]
    if quick:
        sizes = [(1, 50), (1, 200), (3, 200)]
    else:
        sizes = [(d, m) for d in (1, 3, 10) for m in WIDTHS] + [(30, WIDTH), (100, WIDTH)]
    cases = [Case(d, m, POINTS, R) for d, m in sizes for R in runs]
    if device == "cuda" and not quick:
        cases += [Case(d, WIDTH, POINTS, MANY_RUNS) for d in (1, 3)]
    return cases


def growth(device: str, quick: bool) -> list[Case]:
    """Further cases on which the engines are timed, to find jumps between the sizes above."""
    most = max(RUNS[device])
    if quick:
        return [Case(3, 200, POINTS, 1), Case(3, 200, 25, most), Case(10, 200, POINTS, most)]
    cases = [Case(d, WIDTH, POINTS, most) for d in GROWTH_INPUTS]
    for d in (1, 3):
        cases += [Case(d, m, POINTS, most) for m in GROWTH_WIDTHS]
        cases += [Case(d, WIDTH, n, most) for n in GROWTH_POINTS]
        cases += [Case(d, WIDTH, POINTS, R) for R in GROWTH_RUNS]
    return list(set(cases) - set(side_by_side(device, quick)))
