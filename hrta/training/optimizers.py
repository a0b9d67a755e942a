"""Optimizers, batched over runs.

Each turns the gradient at step t into the update theta_{t+1} - theta_t. Only operations that round
once are used (no fused multiply-add, no lerp): vectorised code and its scalar remainder then agree,
so a run's numbers do not depend on its place in the ensemble.
"""

import torch
from torch import Tensor


class Optimizer:
    """One step of an optimizer for an ensemble; what it keeps from step to step is its caller's.

    Attributes:
        state_size: how many numbers it keeps for each parameter.
    """

    state_size = 0

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum

    def update(
        self, gradient: Tensor, rate: Tensor, moments: Tensor, corrections: Tensor
    ) -> Tensor:
        """theta_{t+1} - theta_t, [R, ...], from the gradient [R, ...] at theta_t.

        The gradient is used up as scratch memory (fresh memory at every step costs more than the
        arithmetic), and the tensor returned is valid until the next call.

        Args:
            gradient: [R, ...].
            rate: learning rate, broadcasts against the gradient.
            moments: what is kept, changed in place, [R, state_size, ...]; 0 at first.
            corrections: of Adam's two moments, changed in place, [R, 2] float64; 0 at first.
        """
        raise TypeError("an optimizer must say how it updates")


class GradientDescent(Optimizer):
    """theta_{t+1} = theta_t - eta_t g_t."""

    def update(
        self, gradient: Tensor, rate: Tensor, moments: Tensor, corrections: Tensor
    ) -> Tensor:
        return gradient.mul_(-rate)


class HeavyBall(Optimizer):
    """theta_{t+1} = theta_t - eta_t g_t + beta (theta_t - theta_{t-1}).

    Source: Polyak (1964); in this form arXiv 2208.03941.
    """

    state_size = 1

    def update(
        self, gradient: Tensor, rate: Tensor, moments: Tensor, corrections: Tensor
    ) -> Tensor:
        last_update = moments[:, 0]
        return last_update.mul_(self.momentum).add_(gradient.mul_(-rate))


class Nesterov(Optimizer):
    """v_{t+1} = theta_t - eta_t g_t;  theta_{t+1} = v_{t+1} + beta (v_{t+1} - v_t);  v_0 = theta_0.

    Kept as the lead theta_t - v_t, so that theta itself is not needed.

    Source: Nesterov (1983); in this form arXiv 2208.03941.
    """

    state_size = 1

    def update(
        self, gradient: Tensor, rate: Tensor, moments: Tensor, corrections: Tensor
    ) -> Tensor:
        descent = gradient.mul_(-rate)
        lead = moments[:, 0].add_(descent).mul_(self.momentum)
        return descent.add_(lead)


class Adam(Optimizer):
    """theta_{t+1} = theta_t - eta_t mhat / (sqrt(vhat) + eps), bias-corrected moments.

    The bias corrections follow c_t = 1 - beta^t = beta c_{t-1} + (1 - beta), for each run.

    Source: Kingma and Ba, arXiv 1412.6980; the constants are theirs and torch's.
    """

    state_size = 2
    beta1, beta2, eps = 0.9, 0.999, 1e-8

    def __init__(self, momentum: float) -> None:
        super().__init__(momentum)
        self._scratch = torch.empty(0)

    def update(
        self, gradient: Tensor, rate: Tensor, moments: Tensor, corrections: Tensor
    ) -> Tensor:
        if self._scratch.shape != gradient.shape:
            self._scratch = torch.empty_like(gradient)
        scratch, (first, second) = self._scratch, moments.unbind(1)
        per_run = (-1, *[1] * (gradient.ndim - 1))
        correction1, correction2 = (each.view(per_run) for each in corrections.unbind(1))
        correction1.mul_(self.beta1).add_(1 - self.beta1)
        correction2.mul_(self.beta2).add_(1 - self.beta2)
        torch.mul(gradient, 1 - self.beta1, out=scratch)
        first.mul_(self.beta1).add_(scratch)
        torch.mul(gradient, gradient, out=scratch).mul_(1 - self.beta2)
        second.mul_(self.beta2).add_(scratch)
        # The smallest normal number more, lost in rounding: the root of 0 itself is slow on CPUs.
        torch.add(second, torch.finfo(scratch.dtype).tiny, out=scratch)
        denominator = scratch.div_(correction2.to(scratch.dtype)).sqrt_().add_(self.eps)
        step_size = (-rate.double() / correction1).to(scratch.dtype)
        return torch.div(first, denominator, out=gradient).mul_(step_size)


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
