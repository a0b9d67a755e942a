"""The arrays of the Deep Ritz kernel: points, networks, and working memory.

Names are those of `hrta.training.kernels.ritz`; D = d + 1. Numbers of points and neurons are
rounded up to whole vectors where the loops of `hrta.training.kernels.ritz_sums` need it.
"""

from typing import NamedTuple

import numpy as np

from hrta.training.kernels.vectors import GROUP, TABLE, VECTOR_BYTES, WORD


class Points(NamedTuple):
    """The points of a quadrature, and working memory for one network.

    Their number n is rounded up to whole vectors; the added points are 0 and have the weight 0.

    Attributes:
        inputs: the points and a row of ones, [D, n]; x: its first d rows.
        source: f, [n].
        weights: weights of the quadrature, [n].
        values: phi or p, [n].
        slopes: grad phi or q, [D, n]; the last row of q is 0.
        moments: the terms of the sums M, D (D + 1) / 2 arrays [n].
        patterns, tables: see `hrta.training.kernels.ritz_sums`.
    """

    inputs: np.ndarray
    x: tuple[np.ndarray, ...]
    source: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    moments: tuple[np.ndarray, ...]
    patterns: np.ndarray
    tables: np.ndarray


class Exact(NamedTuple):
    """The exact solution u [n] and its gradient [d, n] at the points for measuring errors."""

    points: Points
    solution: np.ndarray
    gradient: np.ndarray


class Network(NamedTuple):
    """One network, and working memory.

    Attributes:
        parameters: [D + 1, m], the outer weights in the last row.
        products: a_k w_lk, [D, m].
        sums: M, [D (D + 1) / 2, m rounded up to whole vectors].
        gradient: gradient of the energy, [D + 1, m].
    """

    parameters: np.ndarray
    products: np.ndarray
    sums: np.ndarray
    gradient: np.ndarray


def make_points(
    x: np.ndarray, source: np.ndarray, weights: np.ndarray, width: int, dtype: type
) -> Points:
    """Points x [n, d] with f [n] and weights [n] in the given dtype, for networks of that width."""
    (points, inputs), size = x.shape, _whole_vectors(len(x), dtype)
    pairs = (inputs + 1) * (inputs + 2) // 2
    padded = np.zeros((inputs + 3, size), dtype)
    padded[:inputs, :points], padded[inputs] = x.T, 1
    padded[inputs + 1, :points], padded[inputs + 2, :points] = source, weights
    return Points(
        inputs=padded[: inputs + 1],
        x=tuple(padded[:inputs]),
        source=padded[inputs + 1],
        weights=padded[inputs + 2],
        values=np.empty(size, dtype),
        slopes=np.empty((inputs + 1, size), dtype),
        moments=tuple(np.empty((pairs, size), dtype)),
        patterns=np.zeros((-(-size // WORD), _whole_vectors(width, dtype)), np.uint32),
        tables=np.empty((size // GROUP, pairs, TABLE), dtype),
    )


def make_network(parameters: np.ndarray) -> Network:
    """A network with these parameters [D + 1, m], which training updates in place."""
    rows, width = parameters.shape
    products = np.empty_like(parameters[:-1])
    padded = _whole_vectors(width, parameters.dtype)
    sums = np.empty((rows * (rows - 1) // 2, padded), parameters.dtype)
    return Network(parameters, products, sums, np.empty_like(parameters))


def _whole_vectors(count: int, dtype: type | np.dtype) -> int:
    lanes = VECTOR_BYTES // np.dtype(dtype).itemsize
    return -(-count // lanes) * lanes
