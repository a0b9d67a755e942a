"""Eigenvalues of tangent-kernel Gram matrices."""

import numpy as np
from scipy.linalg import eigvalsh

from hrta.runtime.arrays import real_array


def spectrum(matrix: np.ndarray) -> np.ndarray:
    """Eigenvalues of a symmetric matrix [n, n], ascending, [n].

    Values with an absolute value below n eps lambda_max are rounding errors and returned as 0. The
    error of the others is at most n eps lambda_max, so the relative error of the smallest is at
    most n eps lambda_max / lambda_min.

    Raises:
        ValueError: a single point, or a matrix that is not real, not square or not finite.
    """
    matrix = real_array(matrix, "spectra: matrix")
    _check_square(matrix)
    eigenvalues = eigvalsh(matrix)
    rounding = rounding_of(len(matrix), np.abs(eigenvalues).max())
    return np.where(np.abs(eigenvalues) < rounding, 0.0, eigenvalues)


def rounding_of(points: int, largest: float) -> float:
    """n eps lambda_max, the uncertainty of the eigenvalues of a matrix [n, n]."""
    return points * np.finfo(np.float64).eps * largest


def _check_square(matrix: np.ndarray) -> None:
    shape = np.shape(matrix)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        raise ValueError(
            f"spectra: the matrix must be symmetric, [n, n] with n >= 2; its shape is {list(shape)}"
        )
    if not np.isfinite(matrix).all():
        raise ValueError("spectra: the matrix must be finite")
