"""What is to be fitted: points with numbers or classes, and points to test on."""

import hashlib
from dataclasses import dataclass

import numpy as np

from hrta.runtime.arrays import as_float64


@dataclass(frozen=True, eq=False)
class Problem:
    """Points to fit and points to test on; the bias column belongs to the networks.

    Attributes:
        name: what results call it.
        x: training points, [n, d] float64.
        y: their targets, [n] float64; or the numbers of their classes, [n] int64.
        x_test: test points, [n_test, d]; None where there is no test set.
        y_test: their targets, [n_test].
        classes: how many there are, 0 .. classes - 1, each in y; None where targets are numbers.

    Raises:
        ValueError: shapes that do not fit together, no point, a value that is not finite, or
            targets that are not these classes.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray | None = None
    y_test: np.ndarray | None = None
    classes: int | None = None

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
        if self.classes is not None:
            self._set_classes()

    def _set_points(self, x_name: str, y_name: str) -> None:
        x = as_float64(getattr(self, x_name))
        y = as_float64(getattr(self, y_name))
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

    def _set_classes(self) -> None:
        names = ("y",) if self.y_test is None else ("y", "y_test")
        classes = np.arange(self.classes)
        others = np.setdiff1d(np.concatenate([getattr(self, name) for name in names]), classes)
        missing = np.setdiff1d(classes, self.y)
        if self.classes < 2 or len(others) or len(missing):
            wrong = f"; {others[0]:g} is not one of them" if len(others) else ""
            raise ValueError(
                f"problem {self.name}: the targets must be the classes 0 .. {self.classes - 1}, at "
                f"least two, with a training point of each{wrong}"
            )
        for name in names:
            object.__setattr__(self, name, getattr(self, name).astype(np.int64))

    @property
    def inputs(self) -> int:
        """d, the number of input variables."""
        return self.x.shape[1]

    @property
    def digest(self) -> str:
        """SHA-256 of all points."""
        sha256 = hashlib.sha256()
        for points in (self.x, self.y, self.x_test, self.y_test):
            if points is not None:
                sha256.update(f"{points.dtype.str}{points.shape}".encode())
                sha256.update(points.tobytes())
        return sha256.hexdigest()


def check_numbers(problem: Problem, trainer: str) -> None:
    """Refuse classes, for a trainer that fits numbers."""
    if problem.classes is not None:
        raise ValueError(
            f"{trainer}: problem {problem.name} has classes; hrta.training.modules fits them"
        )
