"""The state of several runs of a computation, for selecting runs and for checkpoints."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor


@dataclass(eq=False)
class RunStates:
    """Base of a dataclass whose arrays and tensors have the runs along the first axis.

    Other fields are integers, which belong to all runs, or None where there is nothing to keep.
    """

    def select(self, runs: np.ndarray) -> Self:
        """Copies of the states of these runs, [R'] indices."""
        arrays = {name: value[runs] for name, value in self._kept() if not isinstance(value, int)}
        return replace(self, **arrays)

    def as_numpy(self) -> Self:
        """The same with NumPy arrays instead of tensors, which must be on the CPU."""
        tensors = {name: value for name, value in self._kept() if isinstance(value, Tensor)}
        return replace(self, **{name: tensor.numpy() for name, tensor in tensors.items()})

    def arrays(self) -> dict[str, np.ndarray]:
        """A copy of everything as NumPy arrays."""
        return {name: as_array(value) for name, value in self._kept()}

    def restored(self, arrays: dict[str, np.ndarray]) -> Self:
        """The state that these arrays were made from, of the types and on the device of this."""
        return replace(self, **{name: _like(value, arrays[name]) for name, value in self._kept()})

    def _kept(self) -> list[tuple[str, Any]]:
        named = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [(name, value) for name, value in named if value is not None]


def _like(value: Tensor | np.ndarray | int, array: np.ndarray) -> Tensor | np.ndarray | int:
    if isinstance(value, Tensor):
        return torch.from_numpy(array).to(value)
    return int(array) if isinstance(value, int) else array


def as_array(value: Tensor | np.ndarray | int) -> np.ndarray:
    """A copy; bfloat16, which NumPy lacks, becomes float32."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    return np.array(value)
