"""Eigenvalues of tangent-kernel Gram matrices, and tables of them."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.linalg import LinAlgError, cho_factor, cho_solve, eigvalsh
from scipy.sparse.linalg import LinearOperator, eigsh

from hrta.ntk import empirical_gram, gram
from hrta.problems import Problem

# Up to there the whole decomposition is as fast.
SMALL = 500


def spectrum(matrix: np.ndarray) -> np.ndarray:
    """Eigenvalues of a symmetric matrix [n, n], ascending, [n].

    What is smaller in size than n eps lambda_max is rounding, not an eigenvalue, and returned as 0.
    The others are off by no more than that, so the smallest has relative error
    n eps lambda_max / lambda_min at most.

    Raises:
        ValueError: a single point, or what is no finite square matrix.
    """
    _check_square(matrix)
    eigenvalues = eigvalsh(matrix)
    rounding = rounding_of(matrix, np.abs(eigenvalues).max())
    return np.where(np.abs(eigenvalues) < rounding, 0.0, eigenvalues)


def extremal_eigenvalues(matrix: np.ndarray) -> tuple[float, float]:
    """Smallest and largest eigenvalue of a symmetric positive semi-definite matrix [n, n].

    A large matrix is not decomposed. The largest comes from Lanczos' method, the smallest from the
    same on the inverse, by a Cholesky factor; and because the smallest ones lie close together,
    roughly first, and then again on (K - shift)^-1 with the shift just below. That needs memory for
    one more matrix. Rounding as in `spectrum`; beyond it the smallest has a relative error of 1e-6
    at most.

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
    # The rough one is too large by 1e-3 of itself at most.
    shift = (1 - 3e-3) * rough
    rest = _smallest_above(matrix, shift, tolerance=3e-4)
    if rest is None:  # Lanczos' method missed the smallest the first time
        return float(spectrum(matrix)[0]), largest
    return shift + rest, largest


def _smallest_above(matrix: np.ndarray, shift: float, tolerance: float) -> float | None:
    """lambda_min - shift to a relative tolerance, or None if that is not positive."""
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
    """The largest eigenvalue, by Lanczos' method from a fixed start; 0 is machine precision."""
    start = np.random.default_rng(0).standard_normal(matrix.shape[0])
    options = {"which": "LA", "v0": start, "ncv": 40, "return_eigenvectors": False}
    return float(eigsh(matrix, k=1, tol=tolerance, **options)[0])


def rounding_of(matrix: np.ndarray, largest: float) -> float:
    """n eps lambda_max: what eigenvalues are uncertain by."""
    return len(matrix) * np.finfo(np.float64).eps * largest


def _check_square(matrix: np.ndarray) -> None:
    shape = np.shape(matrix)
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        raise ValueError(
            f"spectra: a symmetric [n, n] matrix of at least 2 points is needed; got {list(shape)}"
        )
    if not np.isfinite(matrix).all():
        raise ValueError("spectra: the matrix must be finite numbers only")


def infinite_width_spectra(x: np.ndarray, s_values: Iterable[float]) -> pd.DataFrame:
    """All eigenvalues of the infinite-width Gram matrix for each s.

    Args:
        x: points, [n, d], without the bias column.
        s_values: homotopy parameters in [0, 2].

    Returns:
        Tidy table of s, index (from 0, ascending), eigenvalue.
    """
    return _table({(s,): spectrum(gram(x, s)) for s in s_values}, ["s"])


def initial_spectra(
    x: np.ndarray, width: int, seeds: Sequence[int], s_values: Iterable[float]
) -> pd.DataFrame:
    """All eigenvalues of the Gram matrix of finite networks as they are initialised.

    Args:
        x: points, [n, d], without the bias column.
        width: m.
        seeds: of the networks; the same as those of training give the same networks.
        s_values: homotopy parameters in [0, 2].

    Returns:
        Tidy table of seed, s, index (from 0, ascending), eigenvalue.
    """
    import torch

    from hrta.networks import TwoLayer

    networks = TwoLayer.initialise(seeds, np.shape(x)[1], width, dtype=torch.float64)
    spectra = {}
    for seed, inner, outer in zip(seeds, networks.inner, networks.outer, strict=True):
        for s in s_values:
            matrix = empirical_gram(x, inner.numpy(), outer.numpy(), s)
            spectra[seed, s] = spectrum(matrix)
    return _table(spectra, ["seed", "s"])


def spectra_table(
    problem: Problem,
    experiment: str,
    s_values: Sequence[float],
    widths: Sequence[int],
    seeds: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """The spectra of a problem at infinite width and, at initialisation, at finite ones.

    Args:
        problem: whose training points are taken.
        experiment: what results call it.
        s_values: homotopy parameters in [0, 2].
        widths: of the finite networks, may be none.
        seeds: of the finite networks.
        progress: called with the number of widths done and their number.

    Returns:
        Tidy table of experiment, problem, kernel ("infinite" or "finite"), width, seed (both
        missing at infinite width), s, index (from 0, ascending), eigenvalue.
    """
    tables = [infinite_width_spectra(problem.x, s_values).assign(kernel="infinite")]
    for done, width in enumerate(widths, start=1):
        table = initial_spectra(problem.x, width, seeds, s_values)
        tables.append(table.assign(kernel="finite", width=width))
        if progress is not None:
            progress(done, len(widths))
    columns = ["experiment", "problem", "kernel", "width", "seed", "s", "index", "eigenvalue"]
    table = pd.concat(tables, ignore_index=True).reindex(columns=columns)
    return table.assign(experiment=experiment, problem=problem.name).astype(
        {"width": "Int64", "seed": "Int64"}
    )


def _table(spectra: dict[tuple, np.ndarray], names: list[str]) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            dict(zip(names, key, strict=True))
            | {"index": range(len(eigenvalues)), "eigenvalue": eigenvalues}
        )
        for key, eigenvalues in spectra.items()
    ]
    return pd.concat(frames, ignore_index=True)
