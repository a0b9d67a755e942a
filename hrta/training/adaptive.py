"""Training of networks with locally adaptive activations.

Source: A. Jagtap, K. Kawaguchi and G. Karniadakis, Locally adaptive activation functions with slope
recovery for deep and physics-informed neural networks, Proc. R. Soc. A 476:20200334 (2020),
arXiv 1909.12228.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hrta.networks.adaptive import ACTIVATIONS, ADAPTIVE, DeepNetworks
from hrta.networks.two_layer import with_bias
from hrta.problems.problem import Problem, check_numbers
from hrta.runtime.processes import one_cpu_thread
from hrta.training.objectives.adaptive import Loss, add_recovery
from hrta.training.optimizers import Adam

__all__ = ["ACTIVATIONS", "ADAPTIVE", "DeepNetworks", "train"]

Progress = Callable[[int, int], None]


def train(
    problem: Problem,
    networks: DeepNetworks,
    steps: int,
    learning_rate: float | Sequence[float] = 2e-4,
    *,
    decay: float = 1.0,
    recovery: float = 0.0,
    log_every: int = 100,
    observe: Callable[[int, DeepNetworks], None] | None = None,
    observe_at: Sequence[int] = (),
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, DeepNetworks]:
    """Adam on mean (f(x_i) - y_i)^2 + recovery S(a), each network by itself, on the full batch.

    Update t + 1 of T has the learning rate eta decay^(t/T), as in `hrta.train`.

    Args:
        problem: the points, cast to the dtype of the networks.
        networks: where training starts; left untouched.
        steps: how many, T.
        learning_rate: eta at the first step, one for all runs or one for each.
        decay: final over initial learning rate, in (0, 1].
        recovery: weight of the slope recovery term, 0 for none.
        log_every: steps between rows of the history; the last step is always there.
        observe: called with the step and the networks as they are after that many updates, a copy.
        observe_at: at which steps.
        progress: called from time to time with the steps done and their number.

    Returns:
        Tidy table of run, step, loss (the mean square alone) and, with a test set, test_loss; and
        the trained networks. A run whose loss turns non-finite is left as it is then; its losses
        are infinite from there on. On a CPU a run's numbers are the same, bit by bit, whatever
        other runs share the ensemble.

    Raises:
        ValueError: an argument outside its range, or a problem with other inputs.
    """
    rates = _learning_rates(learning_rate, networks.runs)
    _check(problem, networks, steps, decay, recovery, log_every)
    steps, log_every, observe_at = int(steps), int(log_every), set(observe_at)
    if not observe_at <= set(range(steps + 1)):
        raise ValueError(f"laaf: observe_at must be steps within 0 .. {steps}")
    running = _Running(problem, networks, rates, recovery)
    logged, rows = [], []
    with torch.no_grad(), one_cpu_thread():
        for step in range(steps + 1):
            if observe is not None and step in observe_at:
                observe(step, running.networks())
            losses = running.differentiate()
            if step % log_every == 0 or step == steps:
                logged.append(step)
                rows.append(running.row(losses))
            if progress is not None and step % max(1, steps // 20) == 0:
                progress(step, steps)
            if step < steps:
                running.update(decay ** (step / steps))
    return _history(logged, np.stack(rows, axis=-1)), running.networks()


class _Running:
    """R networks in training, and which of them are still well."""

    def __init__(
        self, problem: Problem, networks: DeepNetworks, rates: Tensor, recovery: float
    ) -> None:
        like = networks.weights[0]

        def loss_on(x: np.ndarray, y: np.ndarray) -> Loss:
            return Loss(with_bias(x, like), torch.as_tensor(np.array(y)).to(like), networks)

        self._like, self._rates = networks, rates.to(like.device)
        self._recovery = 0 if networks.adaptive == "none" else recovery
        self._loss = loss_on(problem.x, problem.y)
        self._test_loss = None
        if problem.x_test is not None:
            self._test_loss = loss_on(problem.x_test, problem.y_test)
        self._parameters = self._loss.layout.pack(networks)
        self._gradient = torch.zeros_like(self._parameters)
        self._optimizer = Adam(momentum=0)
        self._alive = torch.ones_like(self._rates, dtype=torch.bool)

    def differentiate(self) -> Tensor:
        """The loss of each run, [R]; the gradient is kept for `update`."""
        losses = self._loss.value_and_gradient(self._parameters, self._gradient)
        self._alive &= losses.isfinite()
        return losses

    def row(self, losses: Tensor) -> np.ndarray:
        """Loss and, with test points, test loss of each run, [1 or 2, R]."""
        both = [losses]
        if self._test_loss is not None:
            both.append(self._test_loss.value(self._parameters))
        return torch.stack(both).masked_fill(~self._alive, torch.inf).double().cpu().numpy()

    def update(self, factor: float) -> None:
        """Adam's update with that part of the learning rates."""
        if self._recovery:
            add_recovery(self._loss.layout, self._parameters, self._gradient, self._recovery)
        rates = (self._rates * factor).to(self._parameters.dtype)
        update = self._optimizer.update(self._gradient, rates[:, None])
        self._parameters += update.masked_fill_(~self._alive[:, None], 0)

    def networks(self) -> DeepNetworks:
        """The networks as they are now, a copy."""
        return self._loss.layout.unpack(self._parameters, self._like)


def _history(steps: list[int], losses: np.ndarray) -> pd.DataFrame:
    """The tidy table of losses [1 or 2, R, steps]."""
    runs = losses.shape[1]
    columns = {"run": np.repeat(np.arange(runs), len(steps)), "step": np.tile(steps, runs)}
    names = ("loss", "test_loss")[: len(losses)]
    flat = {name: each.ravel() for name, each in zip(names, losses, strict=True)}
    return pd.DataFrame(columns | flat)


def _learning_rates(learning_rate: float | Sequence[float], runs: int) -> Tensor:
    """The learning rate of each run, float64 [R]."""
    rates = torch.as_tensor(learning_rate, dtype=torch.float64)
    if rates.shape not in ((), (runs,)):
        raise ValueError(
            f"laaf: learning_rate must be a number or {runs} of them, one for each run; its shape "
            f"is {list(rates.shape)}"
        )
    if not (rates.isfinite() & (rates > 0)).all():
        raise ValueError(f"laaf: learning_rate = {learning_rate} is not a positive number")
    return rates.expand(runs).clone()


def _check(
    problem: Problem,
    networks: DeepNetworks,
    steps: int,
    decay: float,
    recovery: float,
    log_every: int,
) -> None:
    check_numbers(problem, "laaf")
    if problem.inputs != networks.inputs:
        raise ValueError(
            f"laaf: problem {problem.name} has {problem.inputs} inputs, the networks have "
            f"{networks.inputs}"
        )
    for name, value in (("steps", steps), ("log_every", log_every)):
        if value < 1 or value != int(value):
            raise ValueError(f"laaf: {name} = {value} is not a whole number of at least 1")
    if not 0 < decay <= 1:
        raise ValueError(f"laaf: decay = {decay:g} is outside (0, 1]")
    if not (np.isfinite(recovery) and recovery >= 0):
        raise ValueError(f"laaf: recovery = {recovery:g} is not a number of at least 0")
