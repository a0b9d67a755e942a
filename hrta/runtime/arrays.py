"""Lists, arrays and tensors as NumPy arrays."""

from typing import Any

import numpy as np


def as_float64(values: Any) -> np.ndarray:
    """A float64 copy of a list, an array or a tensor (of any device, requiring grad or not)."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().double().numpy()
    return np.array(values, dtype=np.float64)
