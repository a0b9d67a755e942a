"""The homotopy activation as a module."""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from hrta.activations.bases import base_activation
from hrta.activations.function import check_homotopy_parameter
from hrta.activations.interpolation import interpolate
from hrta.runtime.arguments import as_flag


class HomotopyActivation(nn.Module):
    """`homotopy` as a module, with an s that can be set at any time and is in the state_dict.

    `activation.s = 1.5` sets s; reading it gives a copy. s is a buffer: it moves with the model and
    is not trained. It is float64 whatever the dtype of the model (float32 on devices without
    float64), and keeps its number where weights are left empty (`to_empty`, the meta device). A
    state_dict without it is that of a plain model: loading it sets s to 1, with a warning if s was
    another.

    Args:
        s: homotopy parameter in [0, 2]; 1 is the base activation.
        base: name of the target activation, a key of `BASES`.
        inplace: whether to overwrite the input, for base "relu". With gradients that saves memory
            for s <= 1 only; for s > 1, on a GPU and in compiled models the result is copied.

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

    inplace = False  # in models that were pickled without it
    _number = 1.0  # s where the buffer is on the meta device
    # What s is from: "set" by hand or a scheduler, "loaded" from a state_dict, or "missing" in it.
    s_is_from = "set"

    def __init__(self, s: float = 1.0, base: str = "relu", inplace: bool = False) -> None:
        super().__init__()
        base_activation(base)
        inplace = as_flag(inplace, "homotopy: inplace")
        if inplace and base != "relu":
            raise ValueError(f"homotopy: inplace is possible for base 'relu'; it is {base!r}")
        self.base = base
        self.inplace = inplace
        self._number = number = check_homotopy_parameter(s)
        # On the CPU also where models are made on the meta device, to keep its number.
        self.register_buffer("s", torch.tensor(number, dtype=torch.float64, device="cpu"))

    def __setattr__(self, name: str, value: Any) -> None:
        # nn.DataParallel gives each copy of the model its own s, on its own device.
        if name == "s" and "s" in self._buffers and not getattr(self, "_is_replica", False):
            # A new tensor: a pending backward pass may still need the old one.
            old = self._buffers["s"]
            self._number = number = check_homotopy_parameter(value)
            # On the meta device there is no number until load_state_dict(..., assign=True).
            like = value if old.is_meta and isinstance(value, Tensor) else old
            value = torch.full_like(like, number, dtype=old.dtype)
            self.s_is_from = "set"
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        value: Any = super().__getattr__(name)
        return value.clone() if name == "s" else value  # so that s += 1 is checked as well

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "HomotopyActivation":
        s = self._buffers["s"]
        self._number = self._number if s.is_meta else float(s)
        try:
            super()._apply(fn, recurse)
            moved = self._buffers["s"]
        except TypeError:  # Apple GPUs do not support float64
            s = moved = fn(s.float())
        if moved.dtype != s.dtype:  # .half(), .bfloat16(), ...
            moved = s.to(moved.device)
        if not moved.is_meta and float(moved) != self._number:  # to_empty() has lost it
            moved = torch.full_like(moved, self._number)
        self._buffers["s"] = moved
        return self

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *others: object) -> None:
        key = f"{prefix}s"
        has_s = key in state_dict
        if has_s:
            check_homotopy_parameter(state_dict[key])
        else:
            s = self._buffers["s"]
            if not s.is_meta and s != 1:
                # The same text for all activations, so that it is shown once.
                warnings.warn(f"the state_dict has no s: it is 1 now, it was {s:g}", stacklevel=2)
            one = torch.ones_like(s, device="cpu" if s.is_meta else s.device)
            state_dict = {**state_dict, key: one}
        super()._load_from_state_dict(state_dict, prefix, *others)
        self.s_is_from = "loaded" if has_s else "missing"

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        # The names of an activation in several places must not share memory: safetensors refuses.
        key, s = f"{prefix}s", destination[f"{prefix}s"]
        others = (
            value for name, value in destination.items() if name.endswith("s") and name != key
        )
        if any(isinstance(v, Tensor) and v.data_ptr() == s.data_ptr() for v in others):
            destination[key] = s.clone()

    def forward(self, z: Tensor) -> Tensor:
        return interpolate(z, self._buffers["s"], self.base, self.inplace)

    def extra_repr(self) -> str:
        s = self._buffers["s"]
        inplace = ", inplace=True" if self.inplace else ""
        return f"s={'?' if s.is_meta else f'{float(s):g}'}, base={self.base!r}{inplace}"
