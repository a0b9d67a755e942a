"""Tangent-kernel Gram matrices of networks of finite width, as functions of s.

With P_ik = 1[z_ik > 0], sigma_s(z_ik) = (1 - s + s P_ik) z_ik. So K_s is a polynomial in s,

    K_s = (1/m) sum_k F_ijk ((1 - s)^2 + s (1 - s) (P_ik + P_jk) + s^2 P_ik P_jk)

where F_ijk is z_ik z_jk for the outer and a_k^2 x_i . x_j for the inner weights. All arrays are
float64.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from hrta.ntk.arc_cosine import PARTS
from hrta.ntk.matrices import Part, check_parameter, with_ones
from hrta.runtime.arguments import shown
from hrta.runtime.arrays import as_float64
from hrta.runtime.memory import need_memory

if TYPE_CHECKING:
    from torch import Tensor

# Pre-activations of one chunk of neurons: 1 MB, which fits the cache.
CHUNK = 2**17


class FiniteKernel(NamedTuple):
    """The tangent kernel of one network on n points, for every s.

    Attributes:
        linear, mixed, active: the coefficients of (1 - s)^2, s (1 - s) and s^2, [n, n] each.
    """

    linear: np.ndarray
    mixed: np.ndarray
    active: np.ndarray

    def gram(self, s: float) -> np.ndarray:
        """K_s, [n, n].

        Raises:
            ValueError: s outside [0, 2].
        """
        s = check_parameter(s)
        return (1 - s) ** 2 * self.linear + s * (1 - s) * self.mixed + s**2 * self.active


class _Sums(NamedTuple):
    """Sums over the neurons of a network.

    Attributes:
        values: sum_k relu(z_ik) relu(z_jk), [n, n].
        path: sum_k w_k relu(z_ik), [D, n].
        slopes: sum_k a_k^2 P_ik P_jk, [n, n].
    """

    values: np.ndarray
    path: np.ndarray
    slopes: np.ndarray


def empirical_gram(
    x: np.ndarray,
    inner: "np.ndarray | Tensor",
    outer: "np.ndarray | Tensor",
    s: float | Sequence[float],
    part: Part = "total",
) -> np.ndarray:
    """Tangent Gram matrix of one network of finite width m, or of R of them.

        outer:  (1/m) sum_k sigma_s(w_k . x_i) sigma_s(w_k . x_j)
        inner:  (1/m) sum_k a_k^2 sigma_s'(w_k . x_i) sigma_s'(w_k . x_j) x_i . x_j

    Args:
        x: points, [n, d], without the bias column.
        inner: inner weights, [d + 1, m] or [R, d + 1, m], the bias in the last row. If they are on
            a GPU, sums over neurons are computed there.
        outer: outer weights, [m] or [R, m], on the same device.
        s: homotopy parameter in [0, 2], for R networks a number or R of them.
        part: "inner", "outer", or their sum "total".

    Returns:
        [n, n] or [R, n, n] float64.

    Raises:
        ValueError: s outside [0, 2], an unknown part, shapes that do not fit together, or weights
            that are not finite.
        MemoryError: the matrices do not fit into memory; the message says how much they need.

    Source: arXiv 2309.15244.
    """
    inner, outer = _array_or_tensor(inner, "inner"), _array_or_tensor(outer, "outer")
    if np.ndim(inner) != 3 or np.ndim(outer) != 2 or len(inner) != len(outer):
        return finite_kernel(x, inner, outer, part).gram(cast(float, s))
    if np.shape(s) not in ((), (len(outer),)):
        raise ValueError(
            f"tangent kernel: s must be a number or {len(outer)} of them, one for each network; it "
            f"is {shown(s)}"
        )
    each_s = np.broadcast_to(s, len(outer))
    need_memory(
        8 * len(inner) * len(x) ** 2,
        f"tangent kernel: {len(inner)} Gram matrices of {len(x)} points",
    )
    networks = zip(inner, outer, each_s, strict=True)
    return np.stack([finite_kernel(x, w, a, part).gram(one) for w, a, one in networks])


def _array_or_tensor(weights: Any, name: str) -> Any:
    """The weights as an array; tensors, which may be on a GPU, as they are."""
    return weights if hasattr(weights, "detach") else as_float64(weights, f"tangent kernel: {name}")


def finite_kernel(
    x: np.ndarray,
    inner: "np.ndarray | Tensor",
    outer: "np.ndarray | Tensor",
    part: Part = "total",
) -> FiniteKernel:
    """The tangent kernel of one network, for every s.

    In one dimension it takes O(m + n^2) operations, otherwise O(m n^2), on the GPU of the weights
    if they are on one.

    Args:
        x: points, [n, d], without the bias column.
        inner: inner weights, [d + 1, m], the bias in the last row.
        outer: outer weights, [m].
        part: "inner", "outer", or their sum "total".

    Raises:
        ValueError: an unknown part, shapes that do not fit together, or weights that are not
            finite.
    """
    check_parameter(0, part)
    biased = with_ones(x)
    w = as_float64(inner, "tangent kernel: inner")
    a = as_float64(outer, "tangent kernel: outer")
    if a.ndim != 1 or w.shape != (biased.shape[1], len(a)):
        raise ValueError(
            f"tangent kernel: inner must be [{biased.shape[1]}, m] and outer [m], or [R, "
            f"{biased.shape[1]}, m] and [R, m]; they are {list(w.shape)} and {list(a.shape)}"
        )
    if not (np.isfinite(w).all() and np.isfinite(a).all() and a.size):
        raise ValueError("tangent kernel: inner and outer must be finite, and m at least 1")
    if len(w) == 2:
        sums = _sums_on_a_line(biased, w, a)
    elif getattr(inner, "is_cuda", False):
        from hrta.ntk.on_device import sums_of_all_pairs

        sums = _Sums(*sums_of_all_pairs(biased, cast("Tensor", inner), cast("Tensor", outer)))
    else:
        sums = _sums_of_all_pairs(biased, w, a)
    products = biased @ biased.T
    half = sums.path.T @ biased.T  # sum_k P_ik z_ik z_jk
    active = np.diag(sums.slopes)
    of_inner, of_outer = (weight / len(a) for weight in PARTS[part])
    return FiniteKernel(
        linear=of_outer * (biased @ (w @ w.T) @ biased.T) + of_inner * (a @ a) * products,
        mixed=of_outer * (half + half.T) + of_inner * np.add.outer(active, active) * products,
        active=of_outer * sums.values + of_inner * sums.slopes * products,
    )


def _sums_of_all_pairs(biased: np.ndarray, inner: np.ndarray, outer: np.ndarray) -> _Sums:
    n, dimension = biased.shape
    values, path, slopes = np.zeros((n, n)), np.zeros((dimension, n)), np.zeros((n, n))
    chunk = max(1, CHUNK // n)
    for first in range(0, len(outer), chunk):
        weights = inner[:, first : first + chunk]
        hidden = biased @ weights
        slope = (hidden > 0) * outer[first : first + chunk]
        np.maximum(hidden, 0, out=hidden)
        values += hidden @ hidden.T
        path += weights @ hidden.T
        slopes += slope @ slope.T
    return _Sums(values, path, slopes)


def _sums_on_a_line(biased: np.ndarray, inner: np.ndarray, outer: np.ndarray) -> _Sums:
    """The sums in one dimension, where each neuron switches at one position in the sorted points.

    Neurons with w > 0 are active behind their switch, the others before it. A neuron with w > 0 is
    active at two points if its switch is before the first, another one if its switch is behind
    the second. So all sums are cumulative sums of histograms over the switches.
    """
    x, n = biased[:, 0], len(biased)
    weight, bias = inner[0] + 0.0, inner[1]  # not -0
    with np.errstate(divide="ignore", invalid="ignore"):
        kinks = -bias / weight  # NaN, w = b = 0, is sorted behind all points
    up = weight >= 0
    ordered, place = np.sort(x), np.argsort(np.argsort(x))
    low, high = np.minimum.outer(place, place), np.maximum.outer(place, place)
    ups = np.searchsorted(ordered, kinks[up], side="right")
    downs = np.searchsorted(ordered, kinks[~up], side="left")

    def active_at_both(values: np.ndarray) -> np.ndarray:
        """sum_k P_ik P_jk values_k, [n, n]."""
        before = np.bincount(ups, values[up], n + 1)[:-1].cumsum()
        after = np.bincount(downs, values[~up], n + 1)[:0:-1].cumsum()[::-1]
        return before[low] + after[high]

    squares, products, biases = map(active_at_both, (weight**2, weight * bias, bias**2))
    values = squares * np.multiply.outer(x, x) + products * np.add.outer(x, x) + biases
    path = [np.diag(squares) * x + np.diag(products), np.diag(products) * x + np.diag(biases)]
    return _Sums(values, np.array(path), active_at_both(outer**2))
