"""Extremal eigenvalues of infinite-width Gram matrices, for many points and several s.

With p = 1 - s/2, q = s/2 and B the biased points, K_s = p^2 2 B B' + q^2 K_2, so for s > 0

    K_s / q^2 = K_2 + c B B',    c = 2 (p / q)^2,

where B B' has rank d + 1. So one Cholesky factor of K_2 - shift is enough to solve linear systems
with K_s / q^2 - shift for every s, by the formula of Sherman, Morrison and Woodbury. Since B B' is
positive semi-definite, a shift below lambda_min(K_2) is also below lambda_min(K_s) / q^2.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import LinAlgError
from scipy.sparse.linalg import LinearOperator, eigsh

from hrta.ntk.eigenvalues import rounding_of, spectrum
from hrta.ntk.factored import FactoredKernel
from hrta.ntk.matrices import check_parameter, gram
from hrta.runtime.arguments import shown
from hrta.runtime.arrays import as_float64

if TYPE_CHECKING:
    from hrta.ntk.on_device import DeviceKernel

# Matrices up to this size are decomposed completely, which is no slower.
SMALL = 500


def extremal_eigenvalues(
    x: np.ndarray, values: Sequence[float], device: str = "cpu"
) -> list[tuple[float, float]]:
    """Smallest and largest eigenvalue of `gram(x, s)` for each s of `values`.

    For many points they are computed by the Lanczos method: the largest by products with K_s, the
    smallest by solving systems with K_s - q^2 shift. Because the smallest eigenvalues are close
    together, that of K_2 is first computed roughly, with shift 0, and then those of all K_s with a
    shift just below it. This takes two Cholesky decompositions, and hardly more memory than one
    matrix. Rounding is treated as in `spectrum`; apart from it the relative error of the smallest
    is at most 1e-6.

    All eigenvalues are computed for s = 0, and for every s if K_2 is singular in float64.

    Args:
        x: points, [n, d], without the bias column.
        values: homotopy parameters in [0, 2].
        device: a GPU for the decompositions, or the CPU.

    Returns:
        A pair (smallest, largest) for each s.

    Raises:
        ValueError: as `gram` and `spectrum`, or a device that cannot be used.
        MemoryError: as `gram`.
    """
    if np.ndim(values) != 1:
        raise ValueError(f"tangent kernel: values must be several numbers; it is {shown(values)}")
    values = [check_parameter(s) for s in values]
    x = as_float64(x, "tangent kernel: x")
    positive = {s for s in values if s > 0}
    found = {}
    # Raised if K_2 is singular, or if the rough eigenvalue is not the smallest.
    with suppress(LinAlgError):
        if x.ndim and len(x) > SMALL and positive:
            found = _of_many_points(_make_kernel(x, device), positive)
    for s in set(values) - set(found):
        eigenvalues = spectrum(gram(x, s))
        found[s] = float(eigenvalues[0]), float(eigenvalues[-1])
    return [found[s] for s in values]


def _make_kernel(x: np.ndarray, device: str) -> "FactoredKernel | DeviceKernel":
    """K_2 on the device."""
    if device == "cpu":
        return FactoredKernel(x)
    from hrta.ntk.on_device import DeviceKernel
    from hrta.runtime.tensors import check_device

    check_device(device, "tangent kernel")
    return DeviceKernel(x, device)


def _of_many_points(
    kernel: "FactoredKernel | DeviceKernel", values: Iterable[float]
) -> dict[float, tuple[float, float]]:
    """The pair for each s > 0.

    Raises:
        LinAlgError: K_2 - shift is not positive definite.
    """
    ratios = {s: 2 * (2 / s - 1) ** 2 for s in values}  # c for each s
    largest = {s: (s / 2) ** 2 * _largest(kernel, ratio) for s, ratio in ratios.items()}
    kernel.factorise(0.0)
    rough = _smallest(kernel, 0.0, 0.0, tolerance=1e-3)
    # The rough value exceeds lambda_min(K_2) by a relative 1e-3 at most.
    shift = (1 - 3e-3) * rough
    kernel.factorise(shift)
    pairs = {}
    for s, high in largest.items():
        low = (s / 2) ** 2 * _smallest(kernel, shift, ratios[s], tolerance=3e-4)
        pairs[s] = 0.0 if low < rounding_of(len(kernel.biased), high) else low, high
    return pairs


def _largest(kernel: "FactoredKernel | DeviceKernel", ratio: float) -> float:
    """lambda_max of K_2 + c B B' for c = ratio, before the kernel is factorised."""
    biased = kernel.biased

    def multiply(v: np.ndarray) -> np.ndarray:
        return kernel.multiply(v) + ratio * (biased @ (v @ biased))

    return _largest_of(multiply, len(biased), tolerance=0, basis=20)


def _smallest(
    kernel: "FactoredKernel | DeviceKernel", shift: float, ratio: float, tolerance: float
) -> float:
    """lambda_min of K_2 + c B B', with a relative error of lambda_min - shift of `tolerance`.

    With A = K_2 - shift the inverse is A^-1 - c A^-1 B (1 + c B' A^-1 B)^-1 B' A^-1.

    Args:
        kernel: after `factorise` with this shift.
        shift: below lambda_min.
        ratio: c.
        tolerance: see above.
    """
    biased = kernel.biased
    solved = np.column_stack([kernel.solve(column) for column in biased.T])
    core = np.eye(biased.shape[1]) + ratio * (biased.T @ solved)
    correction = ratio * np.linalg.solve(core, solved.T)

    def invert(v: np.ndarray) -> np.ndarray:
        return kernel.solve(v) - solved @ (correction @ v)

    return shift + 1 / _largest_of(invert, len(biased), tolerance, basis=40)


def _largest_of(
    product: Callable[[np.ndarray], np.ndarray], points: int, tolerance: float, basis: int
) -> float:
    """The largest eigenvalue of an operator; with tolerance 0 to rounding. The start is fixed.

    Args:
        product: the operator applied to a vector [n].
        points: n.
        tolerance: relative tolerance.
        basis: number of Lanczos vectors before a restart.
    """
    start = np.random.default_rng(0).standard_normal(points)
    operator = LinearOperator((points, points), product, dtype=np.float64)
    options = {"which": "LA", "v0": start, "ncv": basis, "return_eigenvectors": False}
    return float(eigsh(operator, k=1, tol=tolerance, **options)[0])
