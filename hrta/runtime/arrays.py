"""Conversion to NumPy arrays, and their SHA-256."""

import hashlib
from typing import Any

import numpy as np


def as_float64(values: Any, name: str = "values") -> np.ndarray:
    """A float64 copy of a list, an array or a tensor on any device.

    Raises:
        ValueError: not an array of real numbers; the message begins with the name.
    """
    given = values
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values if values.is_complex() else values.double()).numpy()
    try:
        if not np.iscomplexobj(values):
            return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"{name} must be an array of real numbers with rows of equal length; this "
        f"{type(given).__name__} is not"
    )


def digest(*arrays: np.ndarray | None) -> str:
    """SHA-256 of the dtypes, shapes and values of the arrays, in hexadecimal; None is skipped."""
    sha256 = hashlib.sha256()
    for array in arrays:
        if array is not None:
            array = np.ascontiguousarray(array)
            sha256.update(f"{array.dtype.str}{array.shape}".encode())
            sha256.update(array.tobytes())
    return sha256.hexdigest()
