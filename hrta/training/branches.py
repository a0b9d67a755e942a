"""Runs that are the same up to a switch of s are trained once up to there, and then part.

ReLU, s = 1 -> 1, and relaxation, s = 1 -> 3/2, have their first stage in common, bit for bit.
"""

import hashlib

import numpy as np

from hrta.networks.two_layer import TwoLayer
from hrta.runtime.arrays import as_float64


def branches(
    networks: TwoLayer,
    learning_rates: np.ndarray,
    s: np.ndarray,
    batch_seeds: np.ndarray | None = None,
) -> np.ndarray:
    """Which runs are still the same, in each piece of training.

    Args:
        networks: where the R runs start.
        learning_rates: of each run, [R].
        s: homotopy parameter of each run in each piece, [pieces, R].
        batch_seeds: of each run's minibatches, [R], if there are any.

    Returns:
        For each piece and run the number of its branch, [pieces, R]. Branches are numbered from 0,
        and those of a piece are in the order of the branches that they come from.
    """
    weights = [as_float64(weights) for weights in (networks.inner, networks.outer)]
    digests = [
        hashlib.blake2b(inner.tobytes() + outer.tobytes()).digest()
        for inner, outer in zip(*weights, strict=True)
    ]
    starts = {digest: number for number, digest in enumerate(dict.fromkeys(digests))}
    same = _numbered(np.array([starts[digest] for digest in digests]), learning_rates)
    if batch_seeds is not None:
        same = _numbered(same, batch_seeds)
    numbers = []
    for values in s:
        same = _numbered(same, values)
        numbers.append(same)
    return np.array(numbers)


def firsts(numbers: np.ndarray) -> np.ndarray:
    """The first run of each branch, from the branch of each run, [R]."""
    return np.unique(numbers, return_index=True)[1]


def _numbered(before: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Numbers of the branches that those before split into where the runs' values differ."""
    pairs = np.column_stack([before, values])
    return np.unique(pairs, axis=0, return_inverse=True)[1].ravel()
