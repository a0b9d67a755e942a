"""The task of a training: problem, networks, schedules and options, checked."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hrta.runtime.arguments import as_flag, as_integer, as_number, shown
from hrta.runtime.arrays import as_float64, real_array
from hrta.runtime.memory import need_memory
from hrta.schedules import Plateau, Schedule
from hrta.training.minibatches import Minibatches
from hrta.training.optimizers import check_optimizer

# Called with the number of finished steps (or networks) and their total number.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Task:
    """A problem, R networks, and how they are trained.

    Attributes:
        problem, networks: of the types that the objective accepts.
        schedules: the schedule of each run, [R], all with the same number of steps.
        learning_rate: initial learning rate of each run, float64 [R] (given as one number or R).
        optimizer, momentum, log_every, decay, reset_optimizer, preserve_function, fixed_outer,
            batch_size, batch_seeds, engine, plateau: as for `hrta.train`.

    Raises:
        ValueError: an argument outside its range.
    """

    problem: Any
    networks: Any
    schedules: Sequence[Schedule]
    optimizer: str = "adam"
    learning_rate: Any = 1e-3
    momentum: float = 0.9
    log_every: int = 1
    decay: float = 1.0
    reset_optimizer: bool = False
    preserve_function: bool = False
    fixed_outer: bool = False
    batch_size: int | None = None
    batch_seeds: Sequence[int] | None = None
    engine: str = "auto"
    plateau: Plateau | None = None

    def __post_init__(self) -> None:
        check_optimizer(self.optimizer, self.momentum)
        log_every = as_integer(self.log_every, "train: log_every")
        if not 0 < as_number(self.decay) <= 1:
            raise ValueError(f"train: decay must be in (0, 1]; it is {shown(self.decay)}")
        for name in ("reset_optimizer", "preserve_function", "fixed_outer"):
            object.__setattr__(self, name, as_flag(getattr(self, name), f"train: {name}"))
        if self.batch_seeds is not None and self.batch_size is None:
            raise ValueError("train: batch_size must be given with batch_seeds")
        if self.plateau is not None and not isinstance(self.plateau, Plateau):
            raise ValueError(f"train: plateau must be an hrta.Plateau; it is {self.plateau!r}")
        rates = one_rate_per_run(self.learning_rate, self.runs, "train: learning_rate")
        # The steps with their learning rates, and five columns of the history.
        size = 17 * self.steps + 40 * self.runs * (self.steps // log_every)
        need_memory(size, f"train: {self.steps} steps of {self.runs} runs")
        object.__setattr__(self, "learning_rate", rates)
        object.__setattr__(self, "log_every", log_every)

    @property
    def runs(self) -> int:
        """R, the number of networks."""
        return len(self.schedules)

    @property
    def steps(self) -> int:
        """T, the number of updates."""
        return self.schedules[0].steps

    @cached_property
    def batches(self) -> Minibatches | None:
        """The minibatches of all runs; None for full batches."""
        if self.batch_size is None:
            return None
        seeds = one_seed_per_run(self.batch_seeds, self.runs, "train: batch_seeds")
        return Minibatches(seeds, len(self.problem.y), self.batch_size)


def check_inputs(problem: Any, networks: Any, where: str) -> None:
    """Raise a ValueError if the networks have a number of inputs, and it is not the problem's."""
    if problem.inputs != getattr(networks, "inputs", problem.inputs):
        raise ValueError(
            f"{where}: networks must have {problem.inputs} inputs, as problem {problem.name}; they "
            f"have {networks.inputs}"
        )


def one_schedule_each(
    schedule: Schedule | Sequence[Schedule], count: int, what: str
) -> list[Schedule]:
    """`count` schedules with the same number of steps, from one for all or one for each.

    `what` says what each schedule is for, in the message.
    """
    given = [schedule] * count if isinstance(schedule, Schedule) else schedule
    schedules = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(each, Schedule) for each in schedules):
        raise ValueError("train: schedule must be an hrta.Schedule or several")
    if len(schedules) != count:
        raise ValueError(
            f"train: schedule must be one or {count}, one for each of the {what}; there are "
            f"{len(schedules)}"
        )
    lengths = sorted({each.steps for each in schedules})
    if len(lengths) > 1:
        raise ValueError(
            f"train: all schedules must have the same number of steps; they have {lengths}"
        )
    return schedules


def one_rate_per_run(learning_rate: float | Sequence[float], runs: int, name: str) -> np.ndarray:
    """The learning rate of each run, float64 [R]; the name begins the message."""
    rates = as_float64(learning_rate, name)
    if rates.shape not in ((), (runs,)):
        raise ValueError(
            f"{name} must be a number or {runs} numbers, one for each run; its shape is "
            f"{list(rates.shape)}"
        )
    wrong = rates[~(np.isfinite(rates) & (rates > 0))]
    if len(wrong):
        raise ValueError(f"{name} must be a positive number; it is {wrong[0]:g}")
    return np.broadcast_to(rates, runs).copy()


def one_seed_per_run(seeds: Sequence[int] | None, runs: int, name: str) -> np.ndarray:
    """The seed of each run, [R], by default 0 .. R - 1; the name begins the message."""
    each = np.arange(runs) if seeds is None else real_array(seeds, name)
    if each.shape != (runs,) or each.dtype.kind not in "iu" or (each < 0).any():
        raise ValueError(f"{name} must be {runs} non-negative integers, one for each run")
    return each
