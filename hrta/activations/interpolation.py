"""sigma_s without checks of its arguments, by the fastest kernels that serve."""

from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd import Function
from torch.autograd.forward_ad import unpack_dual
from torch.nn import functional
from torch.overrides import handle_torch_function, has_torch_function_unary

from hrta.activations.bases import BASES, PULLBACKS


def interpolate(z: Tensor, s: float | Tensor, base: str, inplace: bool = False) -> Tensor:
    """(1 - s) z + s sigma(z), elementwise; with a single s in fewer passes over memory.

    Args:
        z: pre-activations.
        s: homotopy parameter, a number or an array that broadcasts against z.
        base: a key of `BASES`.
        inplace: whether to write the result to z and return z.
    """
    if is_traced(z):
        return handle_torch_function(interpolate, (z,), z, s, base, inplace)
    if not z.is_floating_point():
        z = _as_floating(z)
    if isinstance(s, Tensor):
        is_array = s.ndim > 0 or z.is_nested or _is_followed(s)
        if not is_array and s.is_cpu:
            s = s.item()  # from a GPU reading a number would wait for its other work
    else:
        is_array = z.is_nested
    if inplace and (isinstance(s, Tensor) or is_array or not _has_kernel_in_place(z, s)):
        # Of a copy, for the backward pass needs what is overwritten.
        return z.copy_(interpolate(z.clone(), s, base))
    return _formula(z, s, base) if is_array else _by_kernel(z, s, base, inplace)


def _by_kernel(z: Tensor, s: float | Tensor, base: str, inplace: bool) -> Tensor:
    """With a single s, which is a tensor if it is on a GPU."""
    if base == "relu":
        return _prelu(z, s) if isinstance(s, Tensor) else _leaky_relu(z, s, inplace)
    if not isinstance(s, Tensor) and s == 1:
        return BASES[base](z)
    # A compiler fuses by itself; torch.func has no rules for torch.lerp.
    if torch.compiler.is_compiling() or is_functorch_wrapped_tensor(z):
        return _formula(z, s, base)
    return Interpolation.apply(z, s, base)


def _as_floating(z: Tensor) -> Tensor:
    """Integers as floating-point numbers; raises a ValueError for complex numbers."""
    if z.is_complex():
        raise ValueError("homotopy: z must be real; it is complex")
    return z.to(torch.get_default_dtype())


def _has_kernel_in_place(z: Tensor, s: float) -> bool:
    """For s > 1 the sign of the output, from which gradients are computed, is not that of z."""
    return s <= 1 or not (torch.is_grad_enabled() and z.requires_grad)


def is_traced(z: object) -> bool:
    """Whether z stands for a tensor in a graph of torch.fx, where sigma_s is one operation."""
    return not isinstance(z, Tensor) and has_torch_function_unary(z)


def _is_followed(s: Tensor) -> bool:
    """Whether something follows what is computed with s, so that s must stay a tensor."""
    return (
        type(s) is not Tensor
        or s.requires_grad
        or s.is_meta
        or torch.compiler.is_compiling()
        or torch._C._is_tracing()
        or is_functorch_wrapped_tensor(s)
        or unpack_dual(s).tangent is not None
    )


def _formula(z: Tensor, s: float | Tensor, base: str) -> Tensor:
    value = BASES[base](z)
    return ((1 - s) * z + s * value).to(value.dtype)


def _leaky_relu(z: Tensor, s: float, inplace: bool) -> Tensor:
    # Not of slope 0, whose product with an infinite z is no number.
    return functional.relu(z, inplace) if s == 1 else functional.leaky_relu(z, 1 - s, inplace)


def _prelu(z: Tensor, s: Tensor) -> Tensor:
    """The leaky ReLU whose slope is a tensor, in the dtype of z under autocast, too."""
    with torch.autocast(z.device.type, enabled=False):
        return functional.prelu(z, (1 - s).to(z.dtype))


class Interpolation(Function):
    """sigma_s for a single s: one pass each way over what the base activation computes.

    Automatic differentiation of the formula takes five.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor, s: float | Tensor, base: str) -> Tensor:
        value = BASES[base](z)
        return value.lerp_(z.to(value.dtype), _weight(s, value))  # under autocast they may differ

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float | Tensor, str], output: Tensor) -> None:
        z, ctx.s, ctx.base = inputs
        ctx.save_for_backward(z)
        ctx.save_for_forward(z)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (z,) = ctx.saved_tensors
        return _pull_back(gradient, z, ctx.s, ctx.base).to(z.dtype), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: None) -> Tensor:
        # The derivative is diagonal, so it maps tangents as it maps gradients.
        return _pull_back(tangent, ctx.saved_tensors[0], ctx.s, ctx.base)


def _pull_back(gradient: Tensor, z: Tensor, s: float | Tensor, base: str) -> Tensor:
    """The gradient times the derivative of sigma_s at z."""
    of_base = PULLBACKS[base](gradient, z.to(gradient.dtype))
    weight = _weight(s, gradient)
    if torch.is_grad_enabled():  # a second derivative is wanted
        return torch.lerp(of_base, gradient, weight)
    return of_base.lerp_(gradient, weight)


def _weight(s: float | Tensor, other: Tensor) -> float | Tensor:
    """1 - s; a tensor in the dtype of the other one, as torch.lerp wants it."""
    return (1 - s).to(other.dtype) if isinstance(s, Tensor) else 1 - s
