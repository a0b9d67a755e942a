"""sigma_s(z) = (1 - s) z + s sigma(z), and gradients through it, in memory of the caller."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

aten = torch.ops.aten


class Rule(ABC):
    """sigma_s for one base activation, elementwise. `kept` and `scratch` are memory of z's shape.

    Attributes:
        z_in_scratch: whether the caller of `apply` writes z to `scratch`; else to `kept`.
    """

    z_in_scratch = False

    @abstractmethod
    def apply(self, s: float, kept: Tensor, scratch: Tensor, out: Tensor) -> None:
        """Write sigma_s(z) to `out`, and to `kept` what `pull_back` needs."""

    @abstractmethod
    def pull_back(self, s: float, gradient: Tensor, kept: Tensor, scratch: Tensor) -> None:
        """Multiply the gradient by the derivative of sigma_s at z, in place."""


class LeakyReLU(Rule):
    """For ReLU: sigma_s is a leaky ReLU of negative slope 1 - s, a single operation."""

    def apply(self, s: float, kept: Tensor, scratch: Tensor, out: Tensor) -> None:
        aten.leaky_relu.out(kept, 1 - s, out=out)

    def pull_back(self, s: float, gradient: Tensor, kept: Tensor, scratch: Tensor) -> None:
        aten.leaky_relu_backward.grad_input(gradient, kept, 1 - s, False, grad_input=gradient)


@dataclass(frozen=True)
class Interpolation(Rule):
    """For any base: z and sigma(z) are interpolated, and so are the gradients.

    Attributes:
        value: writes sigma(z) to its second argument; the first is z.
        back: writes g sigma'(z) to its third argument; the first two are g and z or, with
            `z_in_scratch`, g and sigma(z).
    """

    value: Callable[[Tensor, Tensor], object]
    back: Callable[[Tensor, Tensor, Tensor], object]
    z_in_scratch: bool = False

    def apply(self, s: float, kept: Tensor, scratch: Tensor, out: Tensor) -> None:
        z, value = (scratch, kept) if self.z_in_scratch else (kept, scratch)
        self.value(z, value)
        torch.lerp(z, value, s, out=out)

    def pull_back(self, s: float, gradient: Tensor, kept: Tensor, scratch: Tensor) -> None:
        self.back(gradient, kept, scratch)
        gradient.lerp_(scratch, s)


def _softplus(z: Tensor, out: Tensor) -> None:
    """log(1 + e^z), in half the time of torch's, with an error of one rounding of 1."""
    limit = 0.5 * math.log(torch.finfo(z.dtype).max)
    torch.clamp(z, -limit, limit, out=out).exp_().add_(1).log_()
    torch.maximum(out, z, out=out)


# A rule for each key of `hrta.activations.BASES`.
RULES: dict[str, Rule] = {
    "relu": LeakyReLU(),
    "relu2": Interpolation(
        lambda z, out: torch.clamp(z, min=0, out=out).square_().mul_(0.5),
        lambda g, z, out: torch.clamp(z, min=0, out=out).mul_(g),
    ),
    "tanh": Interpolation(
        lambda z, out: torch.tanh(z, out=out),
        lambda g, value, out: aten.tanh_backward.grad_input(g, value, grad_input=out),
        z_in_scratch=True,
    ),
    "gelu": Interpolation(
        lambda z, out: aten.gelu.out(z, out=out),
        lambda g, z, out: aten.gelu_backward.grad_input(g, z, grad_input=out),
    ),
    "silu": Interpolation(
        lambda z, out: aten.silu.out(z, out=out),
        lambda g, z, out: aten.silu_backward.grad_input(g, z, grad_input=out),
    ),
    "softplus": Interpolation(
        _softplus,
        lambda g, z, out: aten.softplus_backward.grad_input(g, z, 1, 20, grad_input=out),
    ),
    "sine": Interpolation(
        lambda z, out: torch.sin(z, out=out),
        lambda g, z, out: torch.cos(z, out=out).mul_(g),
    ),
}
