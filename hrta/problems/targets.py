"""Synthetic problems: target functions, sampled on a grid and at random test points."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hrta.problems.problem import Problem
from hrta.runtime.arguments import as_integer, check_one_of
from hrta.runtime.memory import need_memory

TargetFunction = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Target:
    """A function on the cube [low, high]^inputs and its default number of training points."""

    function: TargetFunction
    inputs: int
    low: float
    high: float
    points: int


TARGETS: dict[str, Target] = {}


def target(
    inputs: int, low: float, high: float, points: int | None = None
) -> Callable[[TargetFunction], TargetFunction]:
    """Register the decorated function of x [n, inputs] as a problem on [low, high]^inputs.

    `points` is its default number of training points; if None, a grid of about 100.
    """
    points = points or round(100 ** (1 / inputs)) ** inputs

    def register(function: TargetFunction) -> TargetFunction:
        TARGETS[function.__name__] = Target(function, inputs, low, high, points)
        return function

    return register


@target(inputs=1, low=0, high=1, points=100)
def sine1d(x: np.ndarray) -> np.ndarray:
    """sin(2 pi x). Source: arXiv 2309.15244 (assumed in detail)."""
    return np.sin(2 * np.pi * x[:, 0])


@target(inputs=3, low=0, high=1, points=125)
def sine3d(x: np.ndarray) -> np.ndarray:
    """sin(2 pi (x1 + x2 + x3)). Source: arXiv 2309.15244 (assumed in detail)."""
    return np.sin(2 * np.pi * x.sum(axis=1))


@target(inputs=1, low=-3, high=3, points=300)
def jump1d(x: np.ndarray) -> np.ndarray:
    """0.2 sin(6x) for x <= 0, 1 + 0.1 x cos(18x) for x > 0. Source: arXiv 1909.12228."""
    x = x[:, 0]
    return np.where(x <= 0, 0.2 * np.sin(6 * x), 1 + 0.1 * x * np.cos(18 * x))


def make_problem(
    name: str, points: int | None = None, test_points: int = 200, seed: int = 0
) -> Problem:
    """Sample a registered function: a uniform training grid and uniformly random test points.

    Args:
        name: a key of `TARGETS`.
        points: number of training points, k^d; by default that of the target function. The grid
            includes the boundary of the domain.
        test_points: number of test points, independent and uniform on the domain.
        seed: seed of the test points.

    Raises:
        ValueError: an unknown name, `points` that are not k^d for an integer k >= 2, no test
            point, or a seed that is not a non-negative integer.
        MemoryError: the points do not fit into memory.
    """
    check_one_of(name, TARGETS, "problem: name")
    chosen, where = TARGETS[name], f"problem {name}:"
    points = chosen.points if points is None else as_integer(points, f"{where} points")
    test_points = as_integer(test_points, f"{where} test_points")
    seed = as_integer(seed, f"{where} seed", least=0)
    side = round(points ** (1 / chosen.inputs))
    if side < 2 or side**chosen.inputs != points:
        raise ValueError(
            f"{where} points must be k^{chosen.inputs} for an integer k >= 2; it is {points}"
        )
    # Twice, for the coordinates are computed one by one.
    size = 16 * (points + test_points) * (chosen.inputs + 1)
    need_memory(size, f"{where} {points} points and {test_points} test points")
    axis = np.linspace(chosen.low, chosen.high, side)
    grid = np.meshgrid(*[axis] * chosen.inputs, indexing="ij")
    x = np.stack([coordinate.ravel() for coordinate in grid], axis=1)
    x_test = np.random.default_rng(seed).uniform(
        chosen.low, chosen.high, size=(test_points, chosen.inputs)
    )
    return Problem(name, x, chosen.function(x), x_test, chosen.function(x_test))
