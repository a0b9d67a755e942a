"""Conversion to tensors, and the dtypes and devices on which one can compute."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from hrta.runtime.arguments import shown
from hrta.runtime.arrays import not_real, real_array

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


def as_real_tensor(values: Any, name: str) -> Tensor:
    """A list or an array as a tensor; a dense tensor with memory as it is.

    Raises:
        ValueError: not real numbers; the message begins with the name.
    """
    if isinstance(values, Tensor):
        dense = values.layout == torch.strided and not (values.is_nested or values.is_meta)
        if values.is_complex() or not dense:
            raise not_real(values, name)
        return values
    array = real_array(values, name)
    # A copy, for torch warns of arrays that it must not write to.
    return torch.as_tensor(np.array(array) if hasattr(values, "__array__") else values)


def check_dtype(dtype: Any, where: str) -> None:
    """Raise a ValueError if the dtype is not one of the floating ones; `where` begins it."""
    if not isinstance(dtype, torch.dtype) or dtype not in DTYPES:
        names = ", ".join(map(str, DTYPES))
        raise ValueError(f"{where}: dtype must be one of {names}; it is {shown(dtype)}")


def check_device(device: Any, where: str) -> None:
    """Raise a ValueError if nothing can be computed on the device here; `where` begins it."""
    try:
        usable = not torch.empty(0, device=device).is_meta
    except (AssertionError, RuntimeError, TypeError, ValueError):
        usable = False
    if not usable:
        raise ValueError(
            f"{where}: device must be one that torch can compute on here, such as 'cpu' or 'cuda'; "
            f"it is {shown(device)}"
        )
