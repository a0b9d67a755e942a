"""Regression and classification problems: training and test points with targets."""

from dataclasses import dataclass

import numpy as np

from hrta.runtime.arguments import as_integer, shown
from hrta.runtime.arrays import as_float64, digest


@dataclass(frozen=True, eq=False)
class Problem:
    """Training and test points; the bias column belongs to the networks.

    Attributes:
        name: its name in results.
        x: training points, [n, d] float64.
        y: targets, [n] float64; or classes, [n] int64.
        x_test: test points, [n_test, d]; None without a test set.
        y_test: test targets, [n_test].
        classes: number of classes; the targets are then 0 .. classes - 1, and each is in y. None if
            the targets are numbers.

    Raises:
        ValueError: a name that is not one line of text, shapes that do not fit together, no points,
            a value that is not a finite number, or targets that are not the classes.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray | None = None
    y_test: np.ndarray | None = None
    classes: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or len(self.name.splitlines()) != 1:
            raise ValueError(f"problem: name must be one line of text; it is {shown(self.name)}")
        if (self.x_test is None) != (self.y_test is None):
            raise ValueError(f"problem {self.name}: x_test and y_test must be given together")
        self._set_points("x", "y")
        if self.x_test is not None:
            self._set_points("x_test", "y_test")
            if self.x_test.shape[1] != self.inputs:
                raise ValueError(
                    f"problem {self.name}: x_test must have {self.inputs} columns, as x; it has "
                    f"{self.x_test.shape[1]}"
                )
        if self.classes is not None:
            self._set_classes(self.classes)

    def _set_points(self, x_name: str, y_name: str) -> None:
        x = as_float64(getattr(self, x_name), f"problem {self.name}: {x_name}")
        y = as_float64(getattr(self, y_name), f"problem {self.name}: {y_name}")
        if x.ndim != 2 or y.shape != x.shape[:1] or x.size == 0:
            raise ValueError(
                f"problem {self.name}: {x_name} must be [n, d] and {y_name} [n] with n, d >= 1; "
                f"their shapes are {list(x.shape)} and {list(y.shape)}"
            )
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError(f"problem {self.name}: {x_name} and {y_name} must be finite")
        object.__setattr__(self, x_name, x)
        object.__setattr__(self, y_name, y)

    def _set_classes(self, count: int) -> None:
        count = as_integer(count, f"problem {self.name}: classes")
        if count > len(self.y):
            raise ValueError(
                f"problem {self.name}: classes must be at most {len(self.y)}, the number of "
                f"points; it is {count}"
            )
        object.__setattr__(self, "classes", count)
        names = ("y",) if self.y_test is None else ("y", "y_test")
        classes = np.arange(count)
        others = np.setdiff1d(np.concatenate([getattr(self, name) for name in names]), classes)
        missing = np.setdiff1d(classes, self.y)
        if count < 2 or len(others) or len(missing):
            wrong = f"; one is {others[0]:g}" if len(others) else ""
            raise ValueError(
                f"problem {self.name}: targets must be the classes 0 .. {count - 1}, at "
                f"least two, with a training point of each{wrong}"
            )
        for name in names:
            object.__setattr__(self, name, getattr(self, name).astype(np.int64))

    @property
    def inputs(self) -> int:
        """d, the number of inputs."""
        return self.x.shape[1]

    @property
    def digest(self) -> str:
        """SHA-256 of all points and targets."""
        return digest(self.x, self.y, self.x_test, self.y_test)


def check_numbers(problem: Problem, where: str) -> None:
    """Raise a ValueError if the targets are classes; `where` begins the message."""
    if problem.classes is not None:
        raise ValueError(
            f"{where}: targets must be numbers; problem {problem.name} has classes, which only "
            "modules fit"
        )
