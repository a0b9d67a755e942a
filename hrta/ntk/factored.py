"""The Gram matrix K_2 and the Cholesky factor of K_2 - shift, in the memory of one matrix."""

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.blas import dsymv, dtrsv
from scipy.linalg.lapack import dpotrf

from hrta.ntk.matrices import gram, with_ones

# Points in a block when a triangle is copied; a block and its mirror image fit the cache.
BLOCK = 128


class FactoredKernel:
    """K_2 = `gram(x, 2)` on the CPU.

    The upper triangle holds K_2. The lower triangle and the diagonal hold K_2, too, and after
    `factorise` the Cholesky factor of K_2 - shift.

    Args:
        x: points, [n, d].

    Attributes:
        biased: B, [n, d + 1].
    """

    def __init__(self, x: np.ndarray) -> None:
        self.biased = with_ones(x)
        self._matrix = gram(x, 2.0).T  # in Fortran order, so that LAPACK works in place
        self._diagonal = self._matrix.diagonal().copy()

    def multiply(self, v: np.ndarray) -> np.ndarray:
        """K_2 v, v [n]; to be called before `factorise`."""
        return dsymv(1.0, self._matrix, v)

    def factorise(self, shift: float) -> None:
        """Compute the Cholesky factor of K_2 - shift.

        Raises:
            LinAlgError: K_2 - shift is not positive definite.
        """
        matrix = self._matrix
        for first in range(0, len(matrix), BLOCK):
            last = first + BLOCK
            matrix[last:, first:last] = matrix[first:last, last:].T
            upper = np.triu(matrix[first:last, first:last], 1)
            matrix[first:last, first:last] = upper + upper.T
        np.fill_diagonal(matrix, self._diagonal - shift)
        _, failed = dpotrf(matrix, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise LinAlgError(f"K_2 - {shift:g} is not positive definite")

    def solve(self, v: np.ndarray) -> np.ndarray:
        """(K_2 - shift)^-1 v, v [n]."""
        half = dtrsv(self._matrix, v, lower=1)
        return dtrsv(self._matrix, half, lower=1, trans=1, overwrite_x=1)
