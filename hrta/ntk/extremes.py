"""Extremal eigenvalues of infinite-width Gram matrices, for many points and several s.

With p = 1 - s/2, q = s/2 and B the biased points, K_s = p^2 2 B B' + q^2 K_2, so for s > 0

    K_s / q^2 = K_2 + c B B',    c = 2 (p / q)^2,

where B B' has rank d + 1. So one Cholesky factor of K_2 - shift is enough to solve linear systems
with K_s / q^2 - shift for every s, by the formula of Sherman, Morrison and Woodbury. Since B B' is
positive semi-definite, a shift below lambda_min(K_2) is also below lambda_min(K_s) / q^2.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.blas import dsymv, dtrsv
from scipy.linalg.lapack import dpotrf
from scipy.sparse.linalg import LinearOperator, eigsh

from hrta.ntk.eigenvalues import rounding_of, spectrum
from hrta.ntk.matrices import check_parameter, gram, with_ones

# Matrices up to this size are decomposed completely, which is no slower.
SMALL = 500
# Points in a block when a triangle is copied; a block and its mirror image fit the cache.
BLOCK = 128


def extremal_eigenvalues(x: np.ndarray, values: Sequence[float]) -> list[tuple[float, float]]:
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

    Returns:
        A pair (smallest, largest) for each s.

    Raises:
        ValueError: as `gram` and `spectrum`.
        MemoryError: as `gram`.
    """
    values = [check_parameter(s) for s in values]
    positive = {s for s in values if s > 0}
    found = {}
    # Raised if K_2 is singular, or if the rough eigenvalue is not the smallest.
    with suppress(LinAlgError):
        if len(x) > SMALL and positive:
            found = _of_many_points(x, positive)
    for s in set(values) - set(found):
        eigenvalues = spectrum(gram(x, s))
        found[s] = float(eigenvalues[0]), float(eigenvalues[-1])
    return [found[s] for s in values]


def _of_many_points(x: np.ndarray, values: Iterable[float]) -> dict[float, tuple[float, float]]:
    """The pair for each s > 0.

    Raises:
        LinAlgError: K_2 - shift is not positive definite.
    """
    kernels = _Kernels(x)
    ratios = {s: 2 * (2 / s - 1) ** 2 for s in values}  # c for each s
    largest = {s: (s / 2) ** 2 * kernels.largest(ratio) for s, ratio in ratios.items()}
    kernels.factorise(0.0)
    rough = kernels.smallest(0.0, tolerance=1e-3)
    # The rough value exceeds lambda_min(K_2) by a relative 1e-3 at most.
    kernels.factorise((1 - 3e-3) * rough)
    pairs = {}
    for s, high in largest.items():
        low = (s / 2) ** 2 * kernels.smallest(ratios[s], tolerance=3e-4)
        pairs[s] = 0.0 if low < rounding_of(len(x), high) else low, high
    return pairs


class _Kernels:
    """K_2 + c B B' for any c >= 0, in the memory of one matrix.

    The upper triangle holds K_2. The lower triangle and the diagonal hold K_2, too, and after
    `factorise` the Cholesky factor of K_2 - shift.
    """

    def __init__(self, x: np.ndarray) -> None:
        self._biased = with_ones(x)
        self._matrix = gram(x, 2.0).T  # in Fortran order, so that LAPACK works in place
        self._diagonal = self._matrix.diagonal().copy()
        self._shift = 0.0

    def largest(self, ratio: float) -> float:
        """lambda_max for c = ratio; to be called before `factorise`."""

        def multiply(v: np.ndarray) -> np.ndarray:
            return dsymv(1.0, self._matrix, v) + ratio * (self._biased @ (v @ self._biased))

        return self._largest_of(multiply, tolerance=0, basis=20)

    def factorise(self, shift: float) -> None:
        """Compute the Cholesky factor of K_2 - shift.

        Raises:
            LinAlgError: K_2 - shift is not positive definite.
        """
        matrix, self._shift = self._matrix, shift
        for first in range(0, len(matrix), BLOCK):
            last = first + BLOCK
            matrix[last:, first:last] = matrix[first:last, last:].T
            upper = np.triu(matrix[first:last, first:last], 1)
            matrix[first:last, first:last] = upper + upper.T
        np.fill_diagonal(matrix, self._diagonal - shift)
        _, failed = dpotrf(matrix, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise LinAlgError(f"K_2 - {shift:g} is not positive definite")

    def smallest(self, ratio: float, tolerance: float) -> float:
        """lambda_min for c = ratio, with a relative error of lambda_min - shift of `tolerance`.

        With A = K_2 - shift the inverse is A^-1 - c A^-1 B (1 + c B' A^-1 B)^-1 B' A^-1.
        """
        biased = self._biased
        solved = np.column_stack([self._solve(column) for column in biased.T])
        core = np.eye(biased.shape[1]) + ratio * (biased.T @ solved)
        correction = ratio * np.linalg.solve(core, solved.T)

        def invert(v: np.ndarray) -> np.ndarray:
            return self._solve(v) - solved @ (correction @ v)

        return self._shift + 1 / self._largest_of(invert, tolerance, basis=40)

    def _solve(self, v: np.ndarray) -> np.ndarray:
        """(K_2 - shift)^-1 v."""
        half = dtrsv(self._matrix, v, lower=1)
        return dtrsv(self._matrix, half, lower=1, trans=1, overwrite_x=1)

    def _largest_of(
        self, product: Callable[[np.ndarray], np.ndarray], tolerance: float, basis: int
    ) -> float:
        """The largest eigenvalue of an operator; with tolerance 0 to rounding. The start is fixed.

        Args:
            product: the operator applied to a vector [n].
            tolerance: relative tolerance.
            basis: number of Lanczos vectors before a restart.
        """
        n = len(self._matrix)
        start = np.random.default_rng(0).standard_normal(n)
        operator = LinearOperator((n, n), product, dtype=np.float64)
        options = {"which": "LA", "v0": start, "ncv": basis, "return_eigenvectors": False}
        return float(eigsh(operator, k=1, tol=tolerance, **options)[0])
