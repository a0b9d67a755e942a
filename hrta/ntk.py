"""Tangent-kernel Gram matrices of two-layer homotopy networks, and their spectra.

Float64 throughout, numpy in and out. sigma_s(z) = (1 - s/2) z + (s/2) |z| splits every
infinite-width kernel into a linear and an absolute-value part without cross terms.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy.linalg import eigvalsh
from scipy.spatial.distance import cdist

from hrta.arrays import as_float64
from hrta.problems import Problem

Part = Literal["total", "inner", "outer"]
PARTS = ("total", "inner", "outer")


def gram(x: np.ndarray, s: float, part: Part = "total") -> np.ndarray:
    """Infinite-width tangent Gram matrix of a two-layer homotopy network.

    With G the Gram matrix of the biased points (x, 1) and theta the angles between them,

        outer:  (1 - s/2)^2 G + (s/2)^2 (2/pi) (|x_i||x_j| sin theta + G (pi/2 - theta))
        inner:  (1 - s/2)^2 G + (s/2)^2 (2/pi) G (pi/2 - theta)

    The angles come from chords, not from an arccosine, and so are exact to rounding for parallel
    points, too.

    Args:
        x: points, [n, d], without the bias column.
        s: homotopy parameter in [0, 2].
        part: "inner" (first-layer weights), "outer", or their sum "total".

    Returns:
        [n, n] float64, symmetric, positive semi-definite.

    Raises:
        ValueError: s outside [0, 2], an unknown part, or x not two-dimensional or not finite.

    Source: arXiv 2309.15244; the closed form of the expectations by Cho and Saul (2009).
    """
    s = _check(s, part)
    linear, absolute = _infinite_width_parts(_biased(x), part)
    return (1 - s / 2) ** 2 * linear + (s / 2) ** 2 * absolute


def _infinite_width_parts(biased: np.ndarray, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """The kernels of the identity (s = 0) and of the absolute value (s = 2)."""
    linear = biased @ biased.T
    norms = np.linalg.norm(biased, axis=1)
    unit = biased / norms[:, None]
    angle = 2 * np.arctan2(cdist(unit, unit), cdist(unit, -unit))
    inner = linear * (1 - 2 / np.pi * angle)
    if part == "inner":
        return linear, inner
    outer = inner + 2 / np.pi * np.outer(norms, norms) * np.sin(angle)
    return (linear, outer) if part == "outer" else (2 * linear, inner + outer)


def empirical_gram(
    x: np.ndarray, inner: np.ndarray, outer: np.ndarray, s: float, part: Part = "total"
) -> np.ndarray:
    """Tangent Gram matrix of one network of finite width m.

        outer:  (1/m) sum_k sigma_s(w_k . x_i) sigma_s(w_k . x_j)
        inner:  (1/m) sum_k a_k^2 sigma_s'(w_k . x_i) sigma_s'(w_k . x_j) x_i . x_j

    Args:
        x: points, [n, d], without the bias column.
        inner: inner weights, [d + 1, m], the bias in the last row.
        outer: outer weights, [m].
        s: homotopy parameter in [0, 2].
        part: "inner", "outer", or their sum "total".

    Returns:
        [n, n] float64.

    Raises:
        ValueError: s outside [0, 2], an unknown part, or shapes that do not fit together.

    Source: arXiv 2309.15244.
    """
    s = _check(s, part)
    biased = _biased(x)
    inner, outer = as_float64(inner), as_float64(outer)
    if inner.ndim != 2 or outer.shape != inner.shape[1:] or len(inner) != biased.shape[1]:
        raise ValueError(
            f"tangent kernel: inner must be [{biased.shape[1]}, m] and outer [m] for these points; "
            f"they are {list(inner.shape)} and {list(outer.shape)}"
        )
    if not (np.isfinite(inner).all() and np.isfinite(outer).all() and outer.size):
        raise ValueError("tangent kernel: weights must be finite numbers, and m at least 1")
    width = len(outer)
    hidden = biased @ inner
    slope = np.where(hidden > 0, 1.0, 1 - s)
    result = np.zeros((len(biased), len(biased)))
    if part != "inner":
        hidden *= slope
        result += hidden @ hidden.T / width
    if part != "outer":
        slope *= outer
        result += (slope @ slope.T) * (biased @ biased.T) / width
    return result


def spectrum(matrix: np.ndarray) -> np.ndarray:
    """Eigenvalues of a symmetric matrix [n, n], ascending, [n].

    What is smaller in size than n eps lambda_max is rounding, not an eigenvalue, and returned as 0.
    """
    eigenvalues = eigvalsh(matrix)
    rounding = len(matrix) * np.finfo(np.float64).eps * np.abs(eigenvalues).max()
    return np.where(np.abs(eigenvalues) < rounding, 0.0, eigenvalues)


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


def _biased(x: np.ndarray) -> np.ndarray:
    x = as_float64(x)
    if x.ndim != 2 or x.size == 0:
        raise ValueError(f"tangent kernel: x must be [n, d] with n, d >= 1; it is {list(x.shape)}")
    if not np.isfinite(x).all():
        raise ValueError("tangent kernel: x must be finite numbers only")
    return np.column_stack([x, np.ones(len(x))])


def _check(s: float, part: str) -> float:
    s = float(s)
    if not 0 <= s <= 2:
        raise ValueError(f"tangent kernel: s = {s:g} is outside [0, 2]")
    if part not in PARTS:
        raise ValueError(f"tangent kernel: unknown part {part!r}; there are {', '.join(PARTS)}")
    return s
