"""Optimizers, batched over runs.

Each turns the gradient at step t into the update theta_{t+1} - theta_t. Only operations that round
once are used (no fused multiply-add, no lerp): vectorised code and its scalar remainder then agree,
so a run's numbers do not depend on its place in the ensemble.
"""

from typing import Protocol

import torch
from torch import Tensor


class Optimizer(Protocol):
    """State of one optimizer for an ensemble; a new object is a fresh state."""

    def update(self, gradient: Tensor, learning_rate: Tensor) -> Tensor:
        """theta_{t+1} - theta_t, [R, ...], from the gradient [R, ...] at theta_t.

        The learning rate broadcasts against the gradient. The gradient is used up as scratch
        memory (fresh memory at every step costs more than the arithmetic), and the tensor returned
        is valid until the next call.
        """


class GradientDescent:
    """theta_{t+1} = theta_t - eta_t g_t."""

    def __init__(self, momentum: float) -> None:
        pass

    def update(self, gradient: Tensor, learning_rate: Tensor) -> Tensor:
        return gradient.mul_(-learning_rate)


class HeavyBall:
    """theta_{t+1} = theta_t - eta_t g_t + beta (theta_t - theta_{t-1}).

    Source: Polyak (1964); in this form arXiv 2208.03941.
    """

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum
        self._last: Tensor | None = None

    def update(self, gradient: Tensor, learning_rate: Tensor) -> Tensor:
        if self._last is None:
            self._last = torch.zeros_like(gradient)
        return self._last.mul_(self.momentum).add_(gradient.mul_(-learning_rate))


class Nesterov:
    """v_{t+1} = theta_t - eta_t g_t;  theta_{t+1} = v_{t+1} + beta (v_{t+1} - v_t);  v_0 = theta_0.

    Kept as the lead theta_t - v_t, so that theta itself is not needed.

    Source: Nesterov (1983); in this form arXiv 2208.03941.
    """

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum
        self._lead: Tensor | None = None

    def update(self, gradient: Tensor, learning_rate: Tensor) -> Tensor:
        if self._lead is None:
            self._lead = torch.zeros_like(gradient)
        descent = gradient.mul_(-learning_rate)
        self._lead.add_(descent).mul_(self.momentum)
        return descent.add_(self._lead)


class Adam:
    """theta_{t+1} = theta_t - eta_t mhat / (sqrt(vhat) + eps), bias-corrected moments.

    Source: Kingma and Ba, arXiv 1412.6980; the constants are theirs and torch's.
    """

    def __init__(self, momentum: float) -> None:
        self.beta1, self.beta2, self.eps = 0.9, 0.999, 1e-8
        self._count = 0
        self._first: Tensor | None = None
        self._second: Tensor | None = None

    def update(self, gradient: Tensor, learning_rate: Tensor) -> Tensor:
        if self._first is None:
            self._first = torch.zeros_like(gradient)
            self._second = torch.zeros_like(gradient)
            self._scratch = torch.empty_like(gradient)
        scratch = self._scratch
        self._count += 1
        torch.mul(gradient, 1 - self.beta1, out=scratch)
        self._first.mul_(self.beta1).add_(scratch)
        torch.mul(gradient, gradient, out=scratch).mul_(1 - self.beta2)
        self._second.mul_(self.beta2).add_(scratch)
        # The smallest normal number more, lost in rounding: the root of 0 itself is slow on CPUs.
        torch.add(self._second, torch.finfo(scratch.dtype).tiny, out=scratch)
        scale = (1 - self.beta2**self._count) ** 0.5
        denominator = scratch.sqrt_().div_(scale).add_(self.eps)
        rate = -learning_rate / (1 - self.beta1**self._count)
        return torch.div(self._first, denominator, out=gradient).mul_(rate)


OPTIMIZERS: dict[str, type] = {
    "gradient_descent": GradientDescent,
    "heavy_ball": HeavyBall,
    "nesterov": Nesterov,
    "adam": Adam,
}


def make_optimizer(name: str, momentum: float) -> Optimizer:
    """A fresh optimizer of that name; only heavy ball and Nesterov have a momentum.

    Raises:
        ValueError: an unknown name (the message lists those that exist), or a momentum
            outside [0, 1).
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {name!r}; there are {', '.join(OPTIMIZERS)}")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum = {momentum:g} is outside [0, 1)")
    return OPTIMIZERS[name](momentum)
