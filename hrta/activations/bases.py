"""The activations at which a homotopy arrives at s = 1."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from hrta.runtime.arguments import check_one_of

aten = torch.ops.aten


def _half_square(z: Tensor) -> Tensor:
    return functional.relu(z).square() / 2


def _pull_back_silu(g: Tensor, z: Tensor) -> Tensor:
    if not torch.is_grad_enabled():
        return aten.silu_backward(g, z)  # has no derivative
    sigmoid = torch.sigmoid(z)
    return g * sigmoid * (1 + z * (1 - sigmoid))


BASES: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "relu2": _half_square,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "sine": torch.sin,
}
# g sigma'(z) for a gradient g with respect to sigma(z); can itself be differentiated. ReLU has
# kernels of its own.
PULLBACKS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "relu2": lambda g, z: g * functional.relu(z),
    "tanh": lambda g, z: aten.tanh_backward(g, torch.tanh(z)),
    "gelu": lambda g, z: aten.gelu_backward(g, z),
    "silu": _pull_back_silu,
    "softplus": lambda g, z: aten.softplus_backward(g, z, 1, 20),
    "sine": lambda g, z: g * torch.cos(z),
}


def base_activation(name: str) -> Callable[[Tensor], Tensor]:
    """The target activation with this name.

    Raises:
        ValueError: an unknown name; the message lists the allowed ones.
    """
    check_one_of(name, BASES, "homotopy: base")
    return BASES[name]
