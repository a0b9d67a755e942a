"""The homotopy activation as a function."""

from math import isnan
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import handle_torch_function

from hrta.activations.bases import base_activation
from hrta.activations.interpolation import interpolate, is_traced
from hrta.runtime.arguments import as_number, shown
from hrta.runtime.arrays import as_float64
from hrta.runtime.tensors import as_real_tensor


def homotopy(z: Tensor, s: float | Tensor, base: str = "relu") -> Tensor:
    """The homotopy activation sigma_s(z) = (1 - s) z + s sigma(z), elementwise.

    For ReLU it is a leaky ReLU of negative slope 1 - s: the identity at s = 0, ReLU at s = 1, the
    absolute value at s = 2. For several s, and where it is compiled, infinite z give NaN.

    Args:
        z: pre-activations, any shape.
        s: homotopy parameter in [0, 2]: a number, or an array that broadcasts against z. The
            values of a tensor are not checked.
        base: name of the target activation sigma, a key of `BASES`.

    Returns:
        Tensor of the broadcast shape, in the dtype of sigma(z).

    Raises:
        ValueError: z that is complex or no numbers, s outside [0, 2], a shape of s that does not
            broadcast against z's, or an unknown base.

    Source: arXiv 2309.15244, abstract; the relaxation is s above 1.
    """
    if is_traced(z):
        return handle_torch_function(homotopy, (z,), z, s, base)
    base_activation(base)
    z = z if isinstance(z, Tensor) else as_real_tensor(z, "homotopy: z")
    return interpolate(z, _checked(s, z), base)


def _checked(s: Any, z: Tensor) -> float | Tensor:
    """s as a number if it is one, else as a tensor that broadcasts against z."""
    if isinstance(s, int | float) and 0 <= s <= 2:  # NumPy is not compiled whole
        return s
    if not isinstance(s, Tensor):
        is_text = isinstance(s, str | bytes)
        if is_text or not np.iterable(s):
            return check_homotopy_parameter(s)
        for value in as_float64(s, "homotopy: s").ravel():
            check_homotopy_parameter(value)
        s = torch.as_tensor(s, dtype=torch.float64).to(z.device, z.dtype)
    if s.is_complex() or s.dtype == torch.bool:
        raise ValueError(f"homotopy: s must be real numbers; its dtype is {s.dtype}")
    if s.ndim == 0:
        return s
    try:
        np.broadcast_shapes(s.shape, z.shape)  # that of torch would import sympy
    except ValueError:
        raise ValueError(
            f"homotopy: s must broadcast against z of shape {list(z.shape)}; its shape is "
            f"{list(s.shape)}"
        ) from None
    return s


def check_homotopy_parameter(s: float | Tensor, where: str = "homotopy") -> float:
    """s as a float.

    Args:
        s: the homotopy parameter.
        where: the beginning of the message.

    Raises:
        ValueError: s is not a number in [0, 2].
    """
    number = s if isinstance(s, float) else as_number(s)
    if not 0 <= number <= 2:
        given = shown(s) if isnan(number) else f"{number:g}"
        raise ValueError(f"{where}: s must be a number in [0, 2]; it is {given}")
    return number
