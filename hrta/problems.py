"""The synthetic regression problems: a target function sampled on a grid and at test points."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

TargetFunction = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Problem:
    """Points to fit and points to test on; no bias column, it is the networks' business.

    Attributes:
        name: what results call it.
        x: training points, [n, d] float64.
        y: their targets, [n] float64.
        x_test: test points, [n_test, d]; None where there is no test set.
        y_test: their targets, [n_test].

    Raises:
        ValueError: shapes that do not fit together, no point, or a value that is not finite.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray | None = None
    y_test: np.ndarray | None = None

    def __post_init__(self) -> None:
        if (self.x_test is None) != (self.y_test is None):
            raise ValueError(f"problem {self.name}: x_test and y_test go together")
        self._set_points("x", "y")
        if self.x_test is not None:
            self._set_points("x_test", "y_test")
            if self.x_test.shape[1] != self.inputs:
                raise ValueError(
                    f"problem {self.name}: x_test has {self.x_test.shape[1]} columns, "
                    f"x has {self.inputs}"
                )

    def _set_points(self, x_name: str, y_name: str) -> None:
        x = np.asarray(getattr(self, x_name), dtype=np.float64)
        y = np.asarray(getattr(self, y_name), dtype=np.float64)
        if x.ndim != 2 or y.shape != x.shape[:1] or x.size == 0:
            raise ValueError(
                f"problem {self.name}: {x_name} must be [n, d] and {y_name} [n] with n, d >= 1; "
                f"they are {list(x.shape)} and {list(y.shape)}"
            )
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError(
                f"problem {self.name}: {x_name} and {y_name} must be finite numbers only"
            )
        object.__setattr__(self, x_name, x)
        object.__setattr__(self, y_name, y)

    @property
    def inputs(self) -> int:
        """d, the number of input variables."""
        return self.x.shape[1]


@dataclass(frozen=True)
class Target:
    """A function on the cube [low, high]^inputs."""

    function: TargetFunction
    inputs: int
    low: float
    high: float


TARGETS: dict[str, Target] = {}


def target(inputs: int, low: float, high: float) -> Callable[[TargetFunction], TargetFunction]:
    """Register the decorated function of x [n, inputs] as a problem on [low, high]^inputs."""

    def register(function: TargetFunction) -> TargetFunction:
        TARGETS[function.__name__] = Target(function, inputs, low, high)
        return function

    return register


@target(inputs=1, low=0, high=1)
def sine1d(x: np.ndarray) -> np.ndarray:
    """sin(2 pi x). Source: arXiv 2309.15244 (assumed in detail)."""
    return np.sin(2 * np.pi * x[:, 0])


@target(inputs=3, low=0, high=1)
def sine3d(x: np.ndarray) -> np.ndarray:
    """sin(2 pi (x1 + x2 + x3)). Source: arXiv 2309.15244 (assumed in detail)."""
    return np.sin(2 * np.pi * x.sum(axis=1))


@target(inputs=1, low=-3, high=3)
def jump1d(x: np.ndarray) -> np.ndarray:
    """0.2 sin(6x) for x <= 0, 1 + 0.1 x cos(18x) for x > 0. Source: arXiv 1909.12228."""
    x = x[:, 0]
    return np.where(x <= 0, 0.2 * np.sin(6 * x), 1 + 0.1 * x * np.cos(18 * x))


def make_problem(name: str, points: int, test_points: int, seed: int = 0) -> Problem:
    """Sample a registered function: a uniform training grid and uniformly random test points.

    Args:
        name: a key of `TARGETS`.
        points: training points, a d-th power; the grid includes the ends of the domain.
        test_points: test points, drawn independently and uniformly from the domain.
        seed: of the test points.

    Raises:
        ValueError: an unknown name, or `points` that make no grid of at least 2 a side.
    """
    if name not in TARGETS:
        raise ValueError(f"unknown problem {name!r}; there are {', '.join(TARGETS)}")
    chosen = TARGETS[name]
    side = round(points ** (1 / chosen.inputs))
    if side < 2 or side**chosen.inputs != points:
        raise ValueError(
            f"problem {name}: points = {points} must be k^{chosen.inputs} with a whole k >= 2"
        )
    if test_points < 1:
        raise ValueError(f"problem {name}: test_points = {test_points} must be at least 1")
    axis = np.linspace(chosen.low, chosen.high, side)
    grid = np.meshgrid(*[axis] * chosen.inputs, indexing="ij")
    x = np.stack([coordinate.ravel() for coordinate in grid], axis=1)
    x_test = np.random.default_rng(seed).uniform(
        chosen.low, chosen.high, size=(test_points, chosen.inputs)
    )
    return Problem(name, x, chosen.function(x), x_test, chosen.function(x_test))
