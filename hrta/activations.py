"""The homotopy from the identity to an activation (s = 1) and beyond it (s up to 2)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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
    """The target activation with this name.

    Raises:
        ValueError: an unknown name; the message lists the allowed ones.
    """
    if name not in BASES:
        raise ValueError(f"homotopy: base must be one of {', '.join(BASES)}; it is {name!r}")
    return BASES[name]


def homotopy(z: Tensor, s: float | Tensor, base: str = "relu") -> Tensor:
    """The homotopy activation sigma_s(z) = (1 - s) z + s sigma(z), elementwise.

    For ReLU it is a leaky ReLU of negative slope 1 - s: the identity at s = 0, ReLU at s = 1, the
    absolute value at s = 2.

    Args:
        z: pre-activations, any shape.
        s: homotopy parameter in [0, 2]: a number, or an array that broadcasts against z. The
            values of a tensor are not checked.
        base: name of the target activation sigma, a key of `BASES`.

    Returns:
        Tensor of the broadcast shape, in the dtype of sigma(z).

    Raises:
        ValueError: s outside [0, 2], a shape of s that does not broadcast against z's, or an
            unknown base.

    Source: arXiv 2309.15244, abstract; the relaxation is s above 1.
    """
    sigma = base_activation(base)
    z = z if isinstance(z, Tensor) else torch.as_tensor(z)
    if not z.is_floating_point():
        z = z.to(torch.get_default_dtype())
    if not isinstance(s, Tensor):
        for value in np.ravel(s):
            check_homotopy_parameter(value)
        s = torch.as_tensor(s, dtype=torch.float64).to(z.device, z.dtype) if np.ndim(s) else s
    if isinstance(s, Tensor) and s.ndim:
        try:
            np.broadcast_shapes(s.shape, z.shape)  # that of torch would import sympy
        except ValueError:
            raise ValueError(
                f"homotopy: s must broadcast against z of shape {list(z.shape)}; its shape is "
                f"{list(s.shape)}"
            ) from None
    value = sigma(z)
    return ((1 - s) * z + s * value).to(value.dtype)


def check_homotopy_parameter(s: float | Tensor, where: str = "homotopy") -> float:
    """s as a float.

    Args:
        s: the homotopy parameter.
        where: the beginning of the message.

    Raises:
        ValueError: s is not a number in [0, 2].
    """
    try:
        number = float(s.detach() if isinstance(s, Tensor) else s)
    except (TypeError, ValueError):
        raise ValueError(f"{where}: s must be a number in [0, 2]; it is {s}") from None
    if not 0 <= number <= 2:
        raise ValueError(f"{where}: s must be a number in [0, 2]; it is {number:g}")
    return number


class HomotopyActivation(nn.Module):
    """`homotopy` as a module; `.s` can be set at any time and is part of the state_dict.

    s is a buffer: it moves with the model and is not trained. It is float64 whatever the dtype of
    the model (float32 on devices without float64).

    Args:
        s: homotopy parameter in [0, 2]; 1 is the base activation.
        base: name of the target activation, a key of `BASES`.

    Raises:
        ValueError: s outside [0, 2] (here and when `.s` is set), or an unknown base.
    """

    _buffers: dict[str, Tensor]  # type: ignore[assignment]  # None is never among them

    if TYPE_CHECKING:

        @property
        def s(self) -> Tensor:
            """The homotopy parameter."""

        @s.setter
        def s(self, value: float | Tensor) -> None: ...

    def __init__(self, s: float = 1.0, base: str = "relu") -> None:
        super().__init__()
        base_activation(base)
        self.base = base
        number = check_homotopy_parameter(s)
        self.register_buffer("s", torch.tensor(number, dtype=torch.float64))

    def __setattr__(self, name: str, value: Any) -> None:
        # nn.DataParallel gives each copy of the model its own s, on its own device.
        if name == "s" and "s" in self._buffers and not getattr(self, "_is_replica", False):
            # A new tensor: a pending backward pass may still need the old one.
            value = torch.full_like(self._buffers["s"], check_homotopy_parameter(value))
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        value: Any = super().__getattr__(name)
        return value.clone() if name == "s" else value  # so that s += 1 is checked as well

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "HomotopyActivation":
        s = self._buffers["s"]
        try:
            super()._apply(fn, recurse)
            if self._buffers["s"].dtype != s.dtype:  # .half(), .bfloat16(), ...
                self._buffers["s"] = s.to(self._buffers["s"].device)
        except TypeError:  # Apple GPUs do not support float64
            self._buffers["s"] = fn(s.float())
        return self

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *others: object) -> None:
        if f"{prefix}s" in state_dict:
            check_homotopy_parameter(state_dict[f"{prefix}s"])
        super()._load_from_state_dict(state_dict, prefix, *others)

    def forward(self, z: Tensor) -> Tensor:
        return homotopy(z, self._buffers["s"], self.base)

    def extra_repr(self) -> str:
        s = self._buffers["s"]
        return f"s={'?' if s.is_meta else f'{float(s):g}'}, base={self.base!r}"
