"""What `hrta.train` is given, checked and brought into one form; mistakes are ValueErrors."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from hrta.networks.two_layer import TwoLayer, with_bias
from hrta.problems.problem import Problem
from hrta.runtime.arrays import as_float64
from hrta.runtime.checkpoints import digest
from hrta.schedules import Schedule
from hrta.training.engines.engine import Points
from hrta.training.minibatches import Minibatches

Observer = Callable[[int, TwoLayer], None]


def one_schedule_per_run(schedule: Schedule | Sequence[Schedule], runs: int) -> list[Schedule]:
    """The schedule of each run, all of the same number of steps."""
    schedules = [schedule] * runs if isinstance(schedule, Schedule) else list(schedule)
    if not all(isinstance(each, Schedule) for each in schedules):
        raise ValueError("train: schedule must be a hrta.Schedule, or one for each run")
    if len(schedules) != runs:
        raise ValueError(f"train: {len(schedules)} schedules for {runs} networks")
    lengths = sorted({each.steps for each in schedules})
    if len(lengths) > 1:
        raise ValueError(
            f"train: all schedules of an ensemble need the same number of steps; got {lengths}"
        )
    return schedules


def check_shapes_and_numbers(
    problem: Problem,
    networks: TwoLayer,
    schedules: list[Schedule],
    log_every: int,
    decay: float,
) -> None:
    """Refuse what does not fit together."""
    if problem.inputs != networks.inputs:
        raise ValueError(
            f"train: problem {problem.name} has {problem.inputs} inputs, the networks have "
            f"{networks.inputs}"
        )
    if log_every < 1 or log_every != int(log_every):
        raise ValueError(f"train: log_every = {log_every} is not a whole number of at least 1")
    if not 0 < decay <= 1:
        raise ValueError(f"train: decay = {decay:g} is outside (0, 1]")


def check_observation(
    observe: Observer | None,
    observe_at: Sequence[int],
    steps: int,
    checkpoint: str | Path | None,
) -> None:
    """Refuse steps that are none, an observer that is missing or would miss something."""
    if observe is not None and checkpoint is not None:
        raise ValueError(
            "train: observe and checkpoint: what was observed before an interruption would be "
            "lost; give one of them"
        )
    if len(observe_at) and observe is None:
        raise ValueError("train: observe_at needs a function to call, observe")
    outside = [step for step in observe_at if not 0 <= step <= steps or step != int(step)]
    if outside:
        raise ValueError(f"train: observe_at: {outside[0]} is no step within 0 .. {steps}")


def one_rate_per_run(learning_rate: float | Sequence[float], runs: int) -> np.ndarray:
    """The learning rate of each run, float64 [R]."""
    rates = np.asarray(torch.as_tensor(learning_rate, dtype=torch.float64).cpu())
    if rates.shape not in ((), (runs,)):
        raise ValueError(
            f"train: learning_rate must be a number or {runs} of them, one for each run; "
            f"its shape is {list(rates.shape)}"
        )
    if not (np.isfinite(rates) & (rates > 0)).all():
        raise ValueError("train: every learning rate must be a positive number")
    return np.broadcast_to(rates, runs).copy()


def given_batches(
    size: int | None, seeds: Sequence[int] | None, runs: int, points: int
) -> Minibatches | None:
    """The minibatches of each run, if there are any."""
    if size is None:
        if seeds is not None:
            raise ValueError("train: batch_seeds are for minibatches; give a batch_size, too")
        return None
    return Minibatches(one_seed_per_run(seeds, runs, "train: batch_seeds"), points, size)


def one_seed_per_run(seeds: Sequence[int] | None, runs: int, what: str) -> np.ndarray:
    """The seed of each run, [R]; 0 .. R - 1 if not given. What they are begins the message."""
    seeds = np.asarray(range(runs) if seeds is None else seeds)
    if seeds.shape != (runs,) or seeds.dtype.kind not in "iu" or (seeds < 0).any():
        raise ValueError(f"{what} must be {runs} whole numbers of at least 0, one for each run")
    return seeds


def identity(
    problem: Problem | None,
    networks: TwoLayer,
    schedules: list[Schedule],
    rates: np.ndarray,
    seeds: np.ndarray | None,
) -> dict[str, object]:
    """What tells a training from others, for its checkpoint; the seeds are those of points."""
    points = () if problem is None else (problem.x, problem.y, problem.x_test, problem.y_test)
    stages = {each: [[stage.s, stage.steps] for stage in each.stages] for each in schedules}
    order = list(stages)
    return {
        "data": digest(*points),
        "networks": digest(as_float64(networks.inner), as_float64(networks.outer)),
        "dtype": str(networks.inner.dtype),
        "device": networks.inner.device.type,
        "stages": list(stages.values()),
        "schedule of each run": [order.index(each) for each in schedules],
        "learning rates": sorted(set(rates.tolist())),
        "learning rate of each run": digest(rates),
        "seeds of points": None if seeds is None else digest(np.asarray(seeds)),
    }


def as_points(x: np.ndarray | None, y: np.ndarray | None, networks: TwoLayer) -> Points | None:
    """Points and targets as tensors like the networks; None where there are none."""
    if x is None:
        return None
    return Points(with_bias(x, networks.inner), torch.as_tensor(np.array(y)).to(networks.inner))
