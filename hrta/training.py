"""The training loop: an ensemble of networks through the stages of a schedule, in lock-step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hrta.kernels.reference import Loss, padded_width
from hrta.networks import TwoLayer, with_bias
from hrta.optimizers import make_optimizer
from hrta.problems import Problem
from hrta.schedules import Schedule

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Training:
    """What `train` returns.

    Attributes:
        history: tidy table of run, step, stage, s, loss and, with a test set, test_loss.
        networks: the networks after the last step.
        diverged: for each run whose loss turned non-finite, the step at which it did; its
            weights were not changed from then on, and its losses are infinite in the history.
    """

    history: pd.DataFrame
    networks: TwoLayer
    diverged: dict[int, int]


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
        progress: called with the step and the number of steps at each logged step.

    Returns:
        History, trained networks and diverged runs. On a CPU a run's numbers are the same, bit by
        bit, whatever other runs share the ensemble and however many threads torch has.

    Raises:
        ValueError: an argument outside its range, or shapes that do not fit together.

    Source: arXiv 2309.15244, abstract; loss, scaling and decay are assumed.
    """
    schedules = _one_per_run(schedule, networks.runs)
    _check(problem, networks, schedules, log_every, decay)
    start_rate = _learning_rates(learning_rate, networks)
    state = make_optimizer(optimizer, momentum)
    parameters = _pack(networks)
    gradient = torch.empty_like(parameters)
    loss = Loss(with_bias(problem.x, parameters), _like(problem.y, parameters), networks.width)
    test = None
    if problem.x_test is not None:
        test = Loss(
            with_bias(problem.x_test, parameters),
            _like(problem.y_test, parameters),
            networks.width,
        )
    steps = schedules[0].steps
    log = _Log(schedules, log_every)
    alive = torch.ones(networks.runs, dtype=torch.bool, device=parameters.device)
    diverged_at = torch.full_like(alive, -1, dtype=torch.int64)
    switches = sorted({switch for each in schedules for switch in each.switches})

    with torch.inference_mode(), _one_cpu_thread():
        for step in range(steps + 1):
            if step == 0 or step in switches:
                s = _like([each.s_at(step) for each in schedules], parameters)
            if step in switches and reset_optimizer:
                switching = [step in each.switches for each in schedules]
                state.reset(torch.tensor(switching, device=parameters.device))
            if step < steps:
                losses, _ = loss.value_and_gradient(parameters, s, gradient)
            else:
                losses = loss.value(parameters, s)
            finite = losses.isfinite()
            diverged_at.masked_fill_(alive & ~finite, step)
            alive &= finite
            if log.wants(step):
                log.add(step, alive, losses, test and test.value(parameters, s))
                if progress is not None:
                    progress(step, steps)
            if step < steps:
                rate = (start_rate * decay ** (step / steps)).to(parameters.dtype)
                update = state.update(gradient, rate)
                parameters += update.masked_fill_(~alive[:, None, None], 0)

    steps_lost = enumerate(diverged_at.tolist())
    return Training(
        history=log.table(),
        networks=_unpack(parameters, networks.width),
        diverged={run: step for run, step in steps_lost if step >= 0},
    )


class _Log:
    """The rows of the history, kept on the device until the end."""

    def __init__(self, schedules: list[Schedule], every: int) -> None:
        self.schedules, self.every = schedules, every
        self.last = schedules[0].steps
        self.steps: list[int] = []
        self.values: dict[str, list[Tensor]] = {}

    def wants(self, step: int) -> bool:
        return step % self.every == 0 or step == self.last

    def add(self, step: int, alive: Tensor, loss: Tensor, test_loss: Tensor | None) -> None:
        """The losses of each run, [R]; that of a diverged one is infinite, whatever its weights."""
        self.steps.append(step)
        for name, values in (("loss", loss), ("test_loss", test_loss)):
            if values is not None:
                self.values.setdefault(name, []).append(values.where(alive, torch.inf))

    def table(self) -> pd.DataFrame:
        runs = range(len(self.schedules))
        stages = {each: [each.stage_at(t) for t in self.steps] for each in set(self.schedules)}
        s = {each: [each.s_at(t) for t in self.steps] for each in stages}
        columns = {
            "run": np.repeat(runs, len(self.steps)),
            "step": np.tile(self.steps, len(runs)),
            "stage": np.concatenate([stages[each] for each in self.schedules]),
            "s": np.concatenate([s[each] for each in self.schedules]),
        }
        for name, rows in self.values.items():
            columns[name] = torch.stack(rows, dim=1).double().cpu().numpy().ravel()
        return pd.DataFrame(columns)


@contextmanager
def _one_cpu_thread() -> Iterator[None]:
    """Torch's products of matrices sum in another order on two threads; ensembles are small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


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
    problem: Problem, networks: TwoLayer, schedules: list[Schedule], log_every: int, decay: float
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


def _learning_rates(learning_rate: float | Sequence[float], networks: TwoLayer) -> Tensor:
    """The learning rate of each run, float64 [R, 1, 1] (or [1, 1, 1]) on the networks' device."""
    rates = torch.as_tensor(learning_rate, dtype=torch.float64, device=networks.inner.device)
    if rates.ndim > 1 or (rates.ndim == 1 and len(rates) != networks.runs):
        raise ValueError(
            f"train: learning_rate must be a number or {networks.runs} of them, one for each run; "
            f"its shape is {list(rates.shape)}"
        )
    if not (rates.isfinite() & (rates > 0)).all():
        raise ValueError("train: every learning rate must be a positive number")
    return rates.reshape(-1, 1, 1)


def _like(values: Sequence[float] | np.ndarray, like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)


def _pack(networks: TwoLayer) -> Tensor:
    """A copy of all weights in one tensor [R, d + 2, padded m], the outer ones in the last row."""
    packed = networks.inner.new_zeros(
        networks.runs, networks.inputs + 2, padded_width(networks.width)
    )
    packed[:, :-1, : networks.width] = networks.inner.detach()
    packed[:, -1, : networks.width] = networks.outer.detach()
    return packed


def _unpack(packed: Tensor, width: int) -> TwoLayer:
    return TwoLayer(packed[:, :-1, :width].clone(), packed[:, -1, :width].clone())
