"""The training loop: an ensemble of networks through the stages of a schedule, in lock-step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import torch

from hrta.branches import branches, firsts
from hrta.kernels import make_engine
from hrta.kernels.engine import Engine, Points, Setting
from hrta.networks import TwoLayer, with_bias
from hrta.optimizers import check_optimizer
from hrta.problems import Problem
from hrta.schedules import Schedule

Progress = Callable[[int, int], None]

# Training goes on for that part of the steps without a word of its progress.
PIECES = 20


@dataclass(frozen=True, eq=False)
class Training:
    """What `train` returns.

    Attributes:
        history: tidy table of run, step, stage, s, loss and, with a test set, test_loss.
        networks: the networks after the last step.
        diverged: for each run whose loss turned non-finite, the step at which it did; its
            weights were not changed from then on, and its losses are infinite in the history.
        engine: the name of the engine that did it.
    """

    history: pd.DataFrame
    networks: TwoLayer
    diverged: dict[int, int]
    engine: str


def train(
    problem: Problem,
    networks: TwoLayer,
    schedule: Schedule | Sequence[Schedule],
    optimizer: str = "adam",
    learning_rate: float | Sequence[float] = 1e-3,
    momentum: float = 0.9,
    log_every: int = 1,
    *,
    decay: float = 1.0,
    reset_optimizer: bool = False,
    engine: str = "auto",
    progress: Progress | None = None,
) -> Training:
    """Homotopy relaxation training of R two-layer networks on the full batch.

    Minimises R_s = 1/(2n) sum_i (phi_s(x_i) - y_i)^2 over both layers, with the s of the stage.
    Update t + 1 of T has the learning rate eta decay^(t/T). In the history the row of step t is
    the loss after t updates under the stage that makes update t + 1, so at a switch it is the loss
    after the jump; the last row is the final loss, under the last stage.

    Args:
        problem: the points, cast to the dtype and device of the networks.
        networks: where training starts; left untouched.
        schedule: one for all runs or one for each, all of the same number of steps.
        optimizer: gradient_descent, heavy_ball, nesterov or adam.
        learning_rate: eta at the first step, one for all runs or one for each.
        momentum: beta of heavy_ball and nesterov; the others have none.
        log_every: steps between rows of the history; the last step is always there.
        decay: final over initial learning rate, in (0, 1].
        reset_optimizer: start every stage with a fresh optimizer instead of the last one's state.
        engine: auto, reference, cpu or cuda; see `hrta.kernels.make_engine`.
        progress: called from time to time with the steps done and the number of steps.

    Returns:
        History, trained networks and diverged runs. On a CPU a run's numbers are the same, bit by
        bit, whatever other runs share the ensemble and however many threads torch has.

    Raises:
        ValueError: an argument outside its range, or shapes that do not fit together.

    Source: arXiv 2309.15244, abstract; loss, scaling and decay are assumed.
    """
    schedules = _one_per_run(schedule, networks.runs)
    check_optimizer(optimizer, momentum)
    _check(problem, networks, schedules, log_every, decay)
    rates = _learning_rates(learning_rate, networks.runs)
    steps, log_every = schedules[0].steps, int(log_every)
    pieces = _pieces(schedules)
    s = np.array([[schedule.s_at(first) for schedule in schedules] for first, _ in pieces])
    same = branches(networks, rates, s)
    start = firsts(same[0])
    setting = Setting(
        points=_points(problem.x, problem.y, networks),
        test=None if problem.x_test is None else _points(problem.x_test, problem.y_test, networks),
        optimizer=optimizer,
        momentum=momentum,
        learning_rate=rates[start],
    )
    running = make_engine(engine, TwoLayer(networks.inner[start], networks.outer[start]), setting)
    factors = decay ** (np.arange(steps) / steps)
    logged = np.arange(steps) % log_every == 0
    restarts = schedules if reset_optimizer else []
    losses, test_losses = _run(running, pieces, s, same, factors, logged, restarts, progress)
    history = _history(schedules, [*range(0, steps, log_every), steps], losses)
    if setting.test is not None:
        history["test_loss"] = test_losses.ravel()
    diverged = {run: int(step) for run, step in enumerate(running.diverged[same[-1]]) if step >= 0}
    trained = running.networks()
    trained = TwoLayer(trained.inner[same[-1]], trained.outer[same[-1]])
    return Training(history, trained, diverged, running.name)


def _run(
    running: Engine,
    pieces: list[tuple[int, int]],
    s: np.ndarray,
    same: np.ndarray,
    factors: np.ndarray,
    logged: np.ndarray,
    restarts: list[Schedule],
    progress: Progress | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Take the engine through all pieces; loss and test loss of the logged steps, [R, logged]."""
    steps = len(factors)
    logs = []
    if progress is not None:
        progress(0, steps)
    for piece, (first, last) in enumerate(pieces):
        each = firsts(same[piece])
        if piece and len(each) > len(running.diverged):
            running.branch(same[piece - 1][each])
        if restarts:
            running.reset(np.array([first in restarts[run].switches for run in each]))
        losses = running.advance(s[piece, each], factors[first:last], logged[first:last])
        logs.append([of_branches[same[piece]] for of_branches in losses])
        if progress is not None:
            progress(last, steps)
    final = running.measure(s[-1, each])
    logs.append([of_branches[same[-1], None] for of_branches in final])
    losses, test_losses = (np.concatenate(parts, axis=1) for parts in zip(*logs, strict=True))
    return losses, test_losses


def _pieces(schedules: list[Schedule]) -> list[tuple[int, int]]:
    """Ranges of steps without a switch inside, short enough to tell of progress."""
    steps = schedules[0].steps
    switches = {switch for schedule in schedules for switch in schedule.switches}
    ends = sorted({*range(0, steps, max(1, steps // PIECES)), *switches, steps})
    return list(pairwise(ends))


def _history(schedules: list[Schedule], steps: list[int], losses: np.ndarray) -> pd.DataFrame:
    """The tidy table of losses [R, steps]."""
    each = {schedule: [schedule.stage_at(t) for t in steps] for schedule in set(schedules)}
    s = {schedule: [schedule.s_at(t) for t in steps] for schedule in each}
    return pd.DataFrame(
        {
            "run": np.repeat(np.arange(len(schedules)), len(steps)),
            "step": np.tile(steps, len(schedules)),
            "stage": np.concatenate([each[schedule] for schedule in schedules]),
            "s": np.concatenate([s[schedule] for schedule in schedules]),
            "loss": losses.ravel(),
        }
    )


def _one_per_run(schedule: Schedule | Sequence[Schedule], runs: int) -> list[Schedule]:
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


def _check(
    problem: Problem,
    networks: TwoLayer,
    schedules: list[Schedule],
    log_every: int,
    decay: float,
) -> None:
    if problem.inputs != networks.inputs:
        raise ValueError(
            f"train: problem {problem.name} has {problem.inputs} inputs, the networks have "
            f"{networks.inputs}"
        )
    if log_every < 1 or log_every != int(log_every):
        raise ValueError(f"train: log_every = {log_every} is not a whole number of at least 1")
    if not 0 < decay <= 1:
        raise ValueError(f"train: decay = {decay:g} is outside (0, 1]")


def _learning_rates(learning_rate: float | Sequence[float], runs: int) -> np.ndarray:
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


def _points(x: np.ndarray, y: np.ndarray, networks: TwoLayer) -> Points:
    return Points(with_bias(x, networks.inner), torch.as_tensor(np.array(y)).to(networks.inner))
