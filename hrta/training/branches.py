"""Prefixes shared by schedules: runs that are identical up to a switch of s are trained once.

For example, s = 1 -> 1 (ReLU) and s = 1 -> 3/2 (relaxation) have the same first stage, bit for bit.
A branch is a set of runs that are identical so far.
"""

import hashlib

import numpy as np


def first_branches(parameters: np.ndarray, *values: np.ndarray) -> np.ndarray:
    """The branch of each run before training.

    Args:
        parameters: the initial parameters of each run, [R, ...].
        values: everything else that a run depends on, [R] each.

    Returns:
        The number of the branch of each run, [R], counted from 0.
    """
    digests = [hashlib.blake2b(each.tobytes()).digest() for each in parameters]
    numbers = {digest: number for number, digest in enumerate(dict.fromkeys(digests))}
    return split(np.array([numbers[digest] for digest in digests]), *values)


def split(branches: np.ndarray, *values: np.ndarray) -> np.ndarray:
    """Split branches so that all values are equal within a branch; all arguments are [R].

    The new branches are in the order of the old ones.
    """
    rows = np.column_stack([branches, *values])
    return np.unique(rows, axis=0, return_inverse=True)[1].ravel()


def firsts(branches: np.ndarray) -> np.ndarray:
    """The first run of each branch; `branches` is the branch of each run, [R]."""
    return np.unique(branches, return_index=True)[1]
