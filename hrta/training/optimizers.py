"""Optimizers, batched over runs.

Each computes the update theta_{t+1} - theta_t from the gradient at step t. Only operations that
round once are used (no fused multiply-add, no lerp): vectorised code and its scalar remainder then
agree, so the results of a run do not depend on its position in the ensemble.
"""

import torch
from torch import Tensor

from hrta.runtime.arguments import as_number, check_one_of, shown


class Optimizer:
    """One step of an optimizer for an ensemble; the caller stores the state between steps.

    Attributes:
        state_size: number of state variables for each parameter.
    """

    state_size = 0

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum

    def update(
        self, gradient: Tensor, rate: Tensor, moments: Tensor, corrections: Tensor
    ) -> Tensor:
        """theta_{t+1} - theta_t, [R, ...], from the gradient [R, ...] at theta_t.

        The gradient is overwritten, because allocating memory at every step costs more than the
        arithmetic. The returned tensor is valid until the next call.

        Args:
            gradient: [R, ...].
            rate: learning rate, broadcasts against the gradient.
            moments: the state, updated in place, [R, state_size, ...]; initially 0.
            corrections: of Adam's two moments, updated in place, [R, 2] float64; initially 0.
        """
        raise NotImplementedError


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

    The state is the lead theta_t - v_t, so theta itself is not needed.

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

    The bias corrections are computed as c_t = 1 - beta^t = beta c_{t-1} + (1 - beta), for each run.

    Source: Kingma and Ba, arXiv 1412.6980; the constants are those of the source and of torch.
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
        # The smallest normal number is lost in rounding but avoids the root of 0, slow on CPUs.
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
    """Check the name of an optimizer, and the momentum even if the optimizer ignores it.

    Raises:
        ValueError: an unknown name (the message lists the allowed ones), or a momentum outside
            [0, 1).
    """
    check_one_of(name, OPTIMIZERS, "train: optimizer")
    if not 0 <= as_number(momentum) < 1:
        raise ValueError(f"train: momentum must be in [0, 1); it is {shown(momentum)}")


def make_optimizer(name: str, momentum: float) -> Optimizer:
    """A new optimizer with this name; raises the errors of `check_optimizer`."""
    check_optimizer(name, momentum)
    return OPTIMIZERS[name](momentum)
