"""The state of an ensemble in training: everything that an update changes."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

# A tensor in the engines torch and triton, a NumPy array in the others, or None: each engine knows
# which its own are.
Values = Any


@dataclass(eq=False)
class EngineState:
    """Arrays or tensors with the runs along the first axis; integers belong to all runs.

    Attributes:
        step: number of updates made.
        runs: the number of each run in the task, [R].
        diverged: the step at which the loss of each run was non-finite, [R]; -1 for a run that has
            not diverged.
        parameters: [R, ...], packed in the layout of the engine.
        moments: state of the optimizer, [R, state size, ...].
        corrections: of Adam's two moments, 1 - beta^t, [R, 2] float64.
        skip: the skip term c . (x, 1) that function-preserving switches have added to each
            function, c [R, d + 1] float64; None without it.
        switches: positions of the neurons' switches that the one-dimensional kernel keeps between
            calls; None for other engines.
    """

    step: int
    runs: np.ndarray
    diverged: Values
    parameters: Values
    moments: Values
    corrections: Values
    skip: Values = None
    switches: Values = None

    def select(self, runs: np.ndarray) -> Self:
        """A copy of the state of these runs, [R'] indices."""
        named = self._values()
        return self._with({name: each[runs] for name, each in named if not isinstance(each, int)})

    def as_numpy(self) -> Self:
        """The same state with NumPy arrays instead of tensors, which must be on the CPU."""
        named = self._values()
        return self._with({name: each.numpy() for name, each in named if isinstance(each, Tensor)})

    def arrays(self) -> dict[str, np.ndarray]:
        """A copy of the state as NumPy arrays, for a checkpoint."""
        return {name: as_array(value) for name, value in self._values()}

    def restored(self, arrays: dict[str, np.ndarray]) -> Self:
        """The state from `arrays`, with the types and on the device of this one.

        Raises:
            ValueError: arrays that are missing, or of another dtype or shape.
        """
        named = self._values()
        given = arrays.get("runs", np.array(0))
        branches = len(given) if given.ndim else 0
        for name, value in named:
            expected = as_array(value)
            shape = (branches, *expected.shape[1:]) if expected.ndim else ()
            check_array(name, arrays, expected.dtype, shape)
        return self._with({name: _like(value, arrays[name]) for name, value in named})

    def _with(self, values: dict[str, Any]) -> Self:
        return replace(self, **values)

    def _values(self) -> list[tuple[str, Any]]:
        named = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [(name, value) for name, value in named if value is not None]


def check_array(
    name: str, arrays: dict[str, np.ndarray], dtype: np.typing.DTypeLike, shape: tuple[int, ...]
) -> None:
    """Raise a ValueError if there is no array of this name, dtype and shape."""
    if name not in arrays:
        raise ValueError(f"{name} is missing")
    array = arrays[name]
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(
            f"{name} must have dtype {np.dtype(dtype)} and shape {list(shape)}; it has "
            f"{array.dtype} and {list(array.shape)}"
        )


def check_range(name: str, values: Any, low: Any, high: Any) -> None:
    """Raise a ValueError if one of the values is outside [low, high]."""
    if ((values < low) | (values > high)).any():
        raise ValueError(f"{name} is out of range")


def _like(value: Tensor | np.ndarray | int, array: np.ndarray) -> Tensor | np.ndarray | int:
    if isinstance(value, Tensor):
        return torch.from_numpy(array).to(value)
    return int(array) if isinstance(value, int) else array


def as_array(value: Tensor | np.ndarray | int) -> np.ndarray:
    """A copy; bfloat16, which NumPy does not have, becomes float32."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    return np.array(value)
