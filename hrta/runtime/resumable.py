"""What an engine's training changes, as arrays, so that a new engine can go on from there."""

import numpy as np
import torch
from torch import Tensor


class Resumable:
    """Has attributes that training changes: arrays, tensors or numbers.

    An engine is resumed by making one for the runs that were told apart, then giving it the state.
    """

    # Their names.
    _kept: tuple[str, ...]

    def state(self) -> dict[str, np.ndarray]:
        """All that training has changed, a copy."""
        return {name: as_array(getattr(self, name)) for name in self._kept}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from there, as if this engine had come there itself."""
        for name in self._kept:
            now, then = getattr(self, name), state[name]
            if isinstance(now, Tensor):
                then = torch.from_numpy(then).to(now)
            setattr(self, name, int(then) if isinstance(now, int) else then)


def as_array(value: Tensor | np.ndarray | int) -> np.ndarray:
    """A copy; of numbers that NumPy does not know in those that hold them all."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    return np.array(value)
