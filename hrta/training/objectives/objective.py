"""What every objective says: what is minimised, by which engine, and what is measured."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np

from hrta.problems.problem import Problem, check_numbers
from hrta.runtime.checkpoints import digest
from hrta.schedules import Schedule
from hrta.training.engines.choice import check_engine
from hrta.training.engines.engine import Engine
from hrta.training.task import Task, check_inputs, one_schedule_each

# The arguments of `hrta.train` that not every objective accepts.
OPTIONAL = (
    *("optimizer", "reset_optimizer", "preserve_function", "fixed_outer"),
    *("batch_size", "batch_seeds", "plateau"),
)
MEASURES = ("loss", "test_loss", "test_error")


class Objective(ABC):
    """A kind of training problem. A new one is a subclass of this and nothing else.

    Attributes:
        name: in messages.
        problem_type, networks_type: what it is for.
        engines: by which it is minimised.
        accepts: which of the arguments OPTIONAL it accepts.
        fits_classes: whether it fits classes, too.
        shares_prefixes: whether identical runs may be trained once.
    """

    name: ClassVar[str]
    problem_type: ClassVar[type]
    networks_type: ClassVar[type]
    engines: ClassVar[Sequence[str]] = ("torch",)
    accepts: ClassVar[frozenset[str]] = frozenset()
    fits_classes: ClassVar[bool] = False
    shares_prefixes: ClassVar[bool] = True

    def check_types(self, problem: Any, networks: Any) -> None:
        """Refuse a problem or networks that it is not for."""
        for what, given, wanted in (
            ("problem", problem, self.problem_type),
            ("networks", networks, self.networks_type),
        ):
            if not isinstance(given, wanted):
                raise ValueError(
                    f"train: {self.name}: {what} must be a {wanted.__name__}; it is a "
                    f"{type(given).__name__}"
                )

    def schedules(
        self, schedule: Schedule | Sequence[Schedule], networks: Any
    ) -> Sequence[Schedule]:
        """The schedule of each run, from one for all or several."""
        return one_schedule_each(schedule, networks.runs, "networks")

    def check(self, task: Task) -> None:
        """Refuse a task that does not fit, in one line."""
        for each in fields(task):
            refused = each.name in OPTIONAL and each.name not in self.accepts
            if refused and getattr(task, each.name) != each.default:
                raise ValueError(f"train: {self.name} does not accept {each.name}")
        check_engine(task.engine, self.engines)
        if isinstance(task.problem, Problem) and not self.fits_classes:
            check_numbers(task.problem, "train")
        check_inputs(task.problem, task.networks, "train")
        _ = task.batches  # raises what is wrong with them

    @abstractmethod
    def make_engine(self, task: Task) -> Engine:
        """An engine with a copy of the networks."""

    @abstractmethod
    def identity(self, task: Task) -> dict[str, object]:
        """What the result depends on beside the task's options and the first parameters, JSON."""

    def seeds_of_runs(self, task: Task) -> np.ndarray | None:
        """The seed of each run's random numbers, [R], if there are any."""
        return None

    def decay_factors(self, task: Task) -> np.ndarray:
        """decay^(t/T) for each step t, [T] float64."""
        return task.decay ** (np.arange(task.steps) / task.steps)

    def columns(self, task: Task, measured: np.ndarray) -> dict[str, np.ndarray]:
        """The columns of the history from what the engine measured, [K, R, rows]."""
        return dict(zip(MEASURES, measured, strict=False))


def data_digest(problem: Problem) -> str:
    """SHA-256 of all points and targets."""
    return digest(problem.x, problem.y, problem.x_test, problem.y_test)


def decay_factors_one_by_one(task: Task) -> np.ndarray:
    """decay^(t/T) by Python's power, which differs from NumPy's in the last digit of some."""
    return np.array([task.decay ** (step / task.steps) for step in range(task.steps)])
