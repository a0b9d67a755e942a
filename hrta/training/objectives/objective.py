"""The interface of the objectives: the loss, its engines, and what is measured."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np

from hrta.problems.problem import Problem, check_numbers
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
# How to make what is of another type than the objective accepts.
HOW = {
    Problem: "; hrta.Problem(name, x, y) makes one from points x [n, d] and targets y [n]",
    Sequence: "; networks are an hrta.TwoLayer or a list of nn.Module",
}


class Objective(ABC):
    """A loss to minimise for a type of problem and networks; a subclass defines a new one.

    Attributes:
        name: its name in messages.
        problem_type, networks_type: the types that it accepts.
        engines: the engines that can minimise it.
        accepts: the arguments of OPTIONAL that it accepts.
        fits_classes: whether targets may be classes.
        shares_prefixes: whether runs are trained once as long as they are identical.
    """

    name: ClassVar[str]
    problem_type: ClassVar[type]
    networks_type: ClassVar[type]
    engines: ClassVar[Collection[str]] = ("torch",)
    accepts: ClassVar[frozenset[str]] = frozenset()
    fits_classes: ClassVar[bool] = False
    shares_prefixes: ClassVar[bool] = True

    def check_types(self, problem: Any, networks: Any) -> None:
        """Raise a ValueError if problem or networks are of another type."""
        for what, given, wanted in (
            ("problem", problem, self.problem_type),
            ("networks", networks, self.networks_type),
        ):
            if not isinstance(given, wanted):
                raise ValueError(
                    f"train: {self.name}: {what} must be a {wanted.__name__}; it is a "
                    f"{type(given).__name__}{HOW.get(wanted, '')}"
                )

    def schedules(self, schedule: Schedule | Sequence[Schedule], networks: Any) -> Sequence[Any]:
        """The schedule of each run, from one for all runs or one for each.

        A `Schedule`, or what has its `steps`, `switches`, `stage_at` and `s_at`.
        """
        return one_schedule_each(schedule, networks.runs, "networks")

    def check(self, task: Task) -> None:
        """Raise a ValueError, in one line, if the task does not fit the objective."""
        for each in fields(task):
            refused = each.name in OPTIONAL and each.name not in self.accepts
            if refused and getattr(task, each.name) != each.default:
                raise ValueError(f"train: {self.name} does not accept {each.name}")
        check_engine(task.engine, self.engines)
        if isinstance(task.problem, Problem) and not self.fits_classes:
            check_numbers(task.problem, "train")
        check_inputs(task.problem, task.networks, "train")
        _ = task.batches  # checks its arguments

    @abstractmethod
    def make_engine(self, task: Task) -> Engine:
        """An engine with a copy of the networks."""

    @abstractmethod
    def identity(self, task: Task) -> dict[str, object]:
        """What a result depends on besides the task's options and initial parameters, as JSON."""

    def seeds_of_runs(self, task: Task) -> np.ndarray | None:
        """The seed of the random numbers of each run, [R]; None if there are none."""
        return None

    def decay_factors(self, task: Task) -> np.ndarray:
        """The factor decay^(t/T) of the learning rate at each step t, [T] float64."""
        return task.decay ** (np.arange(task.steps) / task.steps)

    def columns(self, task: Task, measured: np.ndarray) -> dict[str, np.ndarray]:
        """The columns of the history from the measures of the engine, [K, R, rows]."""
        return dict(zip(MEASURES, measured, strict=False))


def decay_factors_one_by_one(task: Task) -> np.ndarray:
    """decay^(t/T) by Python's power, some of whose last digits differ from NumPy's."""
    return np.array([task.decay ** (step / task.steps) for step in range(task.steps)])
