"""The homotopy between the identity and an activation, and its continuation past it."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

BASES: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "relu2": lambda z: functional.relu(z).square() / 2,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "sine": torch.sin,
}


def base_activation(name: str) -> Callable[[Tensor], Tensor]:
    """The target activation of that name; a ValueError lists those that exist."""
    if name not in BASES:
        raise ValueError(f"unknown base activation {name!r}; there are {', '.join(BASES)}")
    return BASES[name]


def homotopy(z: Tensor, s: float | Tensor, base: str = "relu") -> Tensor:
    """The homotopy activation sigma_s(z) = (1 - s) z + s sigma(z), elementwise.

    For ReLU it is a leaky ReLU of negative slope 1 - s: the identity at s = 0, ReLU at s = 1, the
    absolute value at s = 2.

    Args:
        z: pre-activations, any shape.
        s: homotopy parameter in [0, 2], a number or several that broadcast against z; the
            values of a tensor are taken on trust.
        base: name of the target activation sigma, a key of `BASES`.

    Returns:
        Tensor of the broadcast shape.

    Raises:
        ValueError: s outside [0, 2], or an unknown base.

    Source: arXiv 2309.15244, abstract; s beyond 1 is the relaxation.
    """
    sigma = base_activation(base)
    z = torch.as_tensor(z)
    if not z.is_floating_point():
        z = z.to(torch.get_default_dtype())
    if not isinstance(s, Tensor):
        for value in np.ravel(s):
            check_homotopy_parameter(value)
        s = torch.as_tensor(s, dtype=torch.float64).to(z.device, z.dtype) if np.ndim(s) else s
    return (1 - s) * z + s * sigma(z)


def check_homotopy_parameter(s: float) -> float:
    """s as a float in [0, 2], or a ValueError."""
    s = float(s)
    if not 0 <= s <= 2:
        raise ValueError(f"s = {s:g} is outside [0, 2]")
    return s


class HomotopyActivation(nn.Module):
    """`homotopy` as a module; `.s` can be set at any time and is kept in the state_dict.

    Args:
        s: homotopy parameter in [0, 2]; 1 is the base activation itself.
        base: name of the target activation, a key of `BASES`.

    Raises:
        ValueError: s outside [0, 2] (here and when `.s` is set), or an unknown base.
    """

    def __init__(self, s: float = 1.0, base: str = "relu") -> None:
        super().__init__()
        base_activation(base)
        self.base = base
        s = torch.tensor(check_homotopy_parameter(s), dtype=torch.float64)
        self.register_buffer("s", s)

    def __setattr__(self, name: str, value: object) -> None:
        if name == "s" and "s" in self._buffers:
            # A new tensor: the old one may be waiting for a backward pass.
            value = torch.full_like(self._buffers["s"], check_homotopy_parameter(value))
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> object:
        value = super().__getattr__(name)
        return value.clone() if name == "s" else value  # so that s += 1 is checked, too

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *others: object) -> None:
        if f"{prefix}s" in state_dict:
            check_homotopy_parameter(state_dict[f"{prefix}s"])
        super()._load_from_state_dict(state_dict, prefix, *others)

    def forward(self, z: Tensor) -> Tensor:
        return homotopy(z, self._buffers["s"], self.base)

    def extra_repr(self) -> str:
        return f"s={float(self.s):g}, base={self.base!r}"
