"""Optimizers, batched over runs.

Each turns the gradient at step t into the update theta_{t+1} - theta_t. Only operations that round
once are used (no fused multiply-add, no lerp): vectorised code and its scalar remainder then agree,
so a run's numbers do not depend on its place in the ensemble.
"""

import numpy as np
import torch
from torch import Tensor

from hrta.runtime.resumable import as_array


class Optimizer:
    """State of an optimizer for an ensemble: tensors with the runs along the first axis.

    Attributes:
        state_size: how many numbers the optimizer must keep for each parameter.
    """

    state_size = 0

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum
        self._state: dict[str, Tensor] = {}

    def update(self, gradient: Tensor, learning_rate: Tensor) -> Tensor:
        """theta_{t+1} - theta_t, [R, ...], from the gradient [R, ...] at theta_t.

        The learning rate broadcasts against the gradient. The gradient is used up as scratch
        memory (fresh memory at every step costs more than the arithmetic), and the tensor returned
        is valid until the next call.
        """
        raise TypeError("an optimizer must say how it updates")

    def reset(self, runs: Tensor) -> None:
        """Let the chosen runs, a mask [R], start afresh."""
        for state in self._state.values():
            state.masked_fill_(runs.view(-1, *[1] * (state.ndim - 1)), 0)

    def branch(self, parents: Tensor) -> None:
        """Go on with copies of the runs `parents`, [R'] indices."""
        self._state = {name: state[parents] for name, state in self._state.items()}

    def state(self) -> dict[str, np.ndarray]:
        """What it has kept so far, a copy."""
        return {name: as_array(state) for name, state in self._state.items()}

    def restore(self, state: dict[str, np.ndarray], parameters: Tensor) -> None:
        """Go on from that state, beside these parameters."""
        tensors = {name: torch.from_numpy(values) for name, values in state.items()}
        self._state = {
            # Corrections are in float64 beside any parameters.
            name: values.to(parameters.device if values.dtype == torch.float64 else parameters)
            for name, values in tensors.items()
        }

    def _zeros(self, name: str, like: Tensor) -> Tensor:
        """The state of that name, zero at first."""
        if name not in self._state:
            self._state[name] = torch.zeros_like(like)
        return self._state[name]


class GradientDescent(Optimizer):
    """theta_{t+1} = theta_t - eta_t g_t."""

    def update(self, gradient: Tensor, learning_rate: Tensor) -> Tensor:
        return gradient.mul_(-learning_rate)


class HeavyBall(Optimizer):
    """theta_{t+1} = theta_t - eta_t g_t + beta (theta_t - theta_{t-1}).

    Source: Polyak (1964); in this form arXiv 2208.03941.
    """

    state_size = 1

    def update(self, gradient: Tensor, learning_rate: Tensor) -> Tensor:
        last = self._zeros("last update", gradient)
        return last.mul_(self.momentum).add_(gradient.mul_(-learning_rate))


class Nesterov(Optimizer):
    """v_{t+1} = theta_t - eta_t g_t;  theta_{t+1} = v_{t+1} + beta (v_{t+1} - v_t);  v_0 = theta_0.

    Kept as the lead theta_t - v_t, so that theta itself is not needed.

    Source: Nesterov (1983); in this form arXiv 2208.03941.
    """

    state_size = 1

    def update(self, gradient: Tensor, learning_rate: Tensor) -> Tensor:
        descent = gradient.mul_(-learning_rate)
        lead = self._zeros("lead", gradient).add_(descent).mul_(self.momentum)
        return descent.add_(lead)


class Adam(Optimizer):
    """theta_{t+1} = theta_t - eta_t mhat / (sqrt(vhat) + eps), bias-corrected moments.

    The bias corrections follow c_t = 1 - beta^t = beta c_{t-1} + (1 - beta), for each run.

    Source: Kingma and Ba, arXiv 1412.6980; the constants are theirs and torch's.
    """

    state_size = 2
    beta1, beta2, eps = 0.9, 0.999, 1e-8

    def update(self, gradient: Tensor, learning_rate: Tensor) -> Tensor:
        per_run = gradient.new_empty(len(gradient), *[1] * (gradient.ndim - 1)).double()
        correction1 = self._zeros("correction 1", per_run).mul_(self.beta1).add_(1 - self.beta1)
        correction2 = self._zeros("correction 2", per_run).mul_(self.beta2).add_(1 - self.beta2)
        first, second = self._zeros("first", gradient), self._zeros("second", gradient)
        scratch = self._zeros("scratch", gradient)
        torch.mul(gradient, 1 - self.beta1, out=scratch)
        first.mul_(self.beta1).add_(scratch)
        torch.mul(gradient, gradient, out=scratch).mul_(1 - self.beta2)
        second.mul_(self.beta2).add_(scratch)
        # The smallest normal number more, lost in rounding: the root of 0 itself is slow on CPUs.
        torch.add(second, torch.finfo(scratch.dtype).tiny, out=scratch)
        denominator = scratch.div_(correction2.to(scratch.dtype)).sqrt_().add_(self.eps)
        rate = (-learning_rate.double() / correction1).to(scratch.dtype)
        return torch.div(first, denominator, out=gradient).mul_(rate)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "gradient_descent": GradientDescent,
    "heavy_ball": HeavyBall,
    "nesterov": Nesterov,
    "adam": Adam,
}


def check_optimizer(name: str, momentum: float) -> None:
    """Only heavy ball and Nesterov have a momentum, but it is checked for all.

    Raises:
        ValueError: an unknown name (the message lists those that exist), or a momentum
            outside [0, 1).
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {name!r}; there are {', '.join(OPTIMIZERS)}")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum = {momentum:g} is outside [0, 1)")


def make_optimizer(name: str, momentum: float) -> Optimizer:
    """A fresh optimizer of that name, checked as by `check_optimizer`."""
    check_optimizer(name, momentum)
    return OPTIMIZERS[name](momentum)
