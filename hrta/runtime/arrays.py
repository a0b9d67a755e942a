"""Conversion to NumPy arrays, and their SHA-256."""

import hashlib
from numbers import Real
from typing import Any

import numpy as np


def as_float64(values: Any, name: str = "values") -> np.ndarray:
    """A float64 copy of a list, an array or a tensor on any device.

    Raises:
        ValueError: not an array of real numbers; the message begins with the name.
    """
    return np.array(real_array(values, name), dtype=np.float64)


def real_array(values: Any, name: str) -> np.ndarray:
    """A list, an array or a tensor as an array of real numbers; an array is not copied.

    Raises:
        ValueError: as `as_float64`. Text is no number, nor are dates and masked values.
    """
    try:
        array = _of_tensor(values) if hasattr(values, "detach") else np.asarray(values)
        if array.dtype.kind == "O" and all(isinstance(value, Real) for value in array.flat):
            array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise not_real(values, name) from None
    if array.dtype.kind not in "biuf" or np.ma.is_masked(values):
        raise not_real(values, name)
    return array


def _of_tensor(values: Any) -> np.ndarray:
    values = values.detach().cpu()
    return (values if values.is_complex() else values.double()).numpy()


def not_real(values: Any, name: str) -> ValueError:
    """The error for what is not an array of real numbers."""
    hint = ""
    if np.ma.is_masked(values):
        hint = ": some of its values are masked; .filled(value) fills them"
    elif hasattr(values, "toarray"):
        hint = ": it is sparse; .toarray() makes an array of it"
    elif "sparse" in str(getattr(values, "layout", "")):
        hint = ": it is sparse; .to_dense() makes a dense tensor of it"
    elif getattr(values, "is_meta", False):
        hint = ": it is on the meta device, without values"
    return ValueError(
        f"{name} must be an array of real numbers with rows of equal length; this "
        f"{type(values).__name__} is not{hint}"
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
