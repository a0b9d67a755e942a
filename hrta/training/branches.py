"""Shared prefixes: runs that are identical up to a switch of s are trained once up to there.

ReLU, s = 1 -> 1, and relaxation, s = 1 -> 3/2, have their first stage in common, bit for bit. A
branch is a set of runs that are still identical.
"""

import hashlib

import numpy as np


def first_branches(parameters: np.ndarray, *values: np.ndarray) -> np.ndarray:
    """The branch of each run before training.

    Args:
        parameters: of each run, [R, ...].
        values: whatever else a run's numbers depend on, [R] each.

    Returns:
        The number of its branch for each run, from 0, [R].
    """
    digests = [hashlib.blake2b(each.tobytes()).digest() for each in parameters]
    numbers = {digest: number for number, digest in enumerate(dict.fromkeys(digests))}
    return split(np.array([numbers[digest] for digest in digests]), *values)


def split(branches: np.ndarray, *values: np.ndarray) -> np.ndarray:
    """The branches that these fall into where the values of their runs differ, all [R].

    The new branches are in the order of those that they come from.
    """
    rows = np.column_stack([branches, *values])
    return np.unique(rows, axis=0, return_inverse=True)[1].ravel()


def firsts(branches: np.ndarray) -> np.ndarray:
    """The first run of each branch, from the branch of each run, [R]."""
    return np.unique(branches, return_index=True)[1]
