"""Eigenvalues of tangent-kernel Gram matrices."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigvalsh
from scipy.sparse.linalg import LinearOperator, eigsh

# Matrices up to this size are decomposed completely, which is no slower.
SMALL = 500


def spectrum(matrix: np.ndarray) -> np.ndarray:
    """Eigenvalues of a symmetric matrix [n, n], ascending, [n].

    Values with an absolute value below n eps lambda_max are rounding errors and returned as 0. The
    error of the others is at most n eps lambda_max, so the relative error of the smallest is at
    most n eps lambda_max / lambda_min.

    Raises:
        ValueError: a single point, or a matrix that is not square or not finite.
    """
    _check_square(matrix)
    eigenvalues = eigvalsh(matrix)
    rounding = rounding_of(matrix, np.abs(eigenvalues).max())
    return np.where(np.abs(eigenvalues) < rounding, 0.0, eigenvalues)


def extremal_eigenvalues(matrix: np.ndarray) -> tuple[float, float]:
    """Smallest and largest eigenvalue of a symmetric positive semi-definite matrix [n, n].

    The largest eigenvalue of a large matrix is computed by the Lanczos method, the smallest by the
    Lanczos method on the inverse, with a Cholesky factor. Because the smallest eigenvalues are
    close together, the smallest is first computed roughly and then on (K - shift)^-1 with a shift
    just below it. This needs memory for one more matrix. Rounding is treated as in `spectrum`;
    apart from it the relative error of the smallest is at most 1e-6.

    Raises:
        ValueError: as `spectrum`.
    """
    _check_square(matrix)
    if len(matrix) <= SMALL:
        eigenvalues = spectrum(matrix)
        return float(eigenvalues[0]), float(eigenvalues[-1])
    largest = _largest_of(matrix, 0)
    rough = _smallest_above(matrix, 0.0, tolerance=1e-3)
    if rough is None or rough < rounding_of(matrix, largest):
        return 0.0, largest
    # The rough value exceeds lambda_min by a relative 1e-3 at most.
    shift = (1 - 3e-3) * rough
    rest = _smallest_above(matrix, shift, tolerance=3e-4)
    if rest is None:  # the rough value was not the smallest
        return float(spectrum(matrix)[0]), largest
    return shift + rest, largest


def _smallest_above(matrix: np.ndarray, shift: float, tolerance: float) -> float | None:
    """lambda_min - shift to a relative tolerance; None if it is not positive."""
    factor = np.array(matrix, order="F")
    factor[np.diag_indices(len(matrix))] -= shift
    try:
        factor, _ = cho_factor(factor, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError:
        return None
    inverse = LinearOperator(
        matrix.shape, lambda v: cho_solve((factor, True), v, check_finite=False), matrix.dtype
    )
    return 1 / _largest_of(inverse, tolerance)


def _largest_of(matrix: np.ndarray | LinearOperator, tolerance: float) -> float:
    """The largest eigenvalue by the Lanczos method, fixed start; tolerance 0: full precision."""
    start = np.random.default_rng(0).standard_normal(matrix.shape[0])
    options = {"which": "LA", "v0": start, "ncv": 40, "return_eigenvectors": False}
    return float(eigsh(matrix, k=1, tol=tolerance, **options)[0])


def rounding_of(matrix: np.ndarray, largest: float) -> float:
    """n eps lambda_max, the uncertainty of the eigenvalues."""
    return len(matrix) * np.finfo(np.float64).eps * largest


def _check_square(matrix: np.ndarray) -> None:
    shape = np.shape(matrix)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        raise ValueError(
            f"spectra: the matrix must be symmetric, [n, n] with n >= 2; its shape is {list(shape)}"
        )
    if not np.isfinite(matrix).all():
        raise ValueError("spectra: the matrix must be finite")
