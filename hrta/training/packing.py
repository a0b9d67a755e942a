"""Two-layer networks and points in the layout of the engines."""

import numpy as np
import torch
from torch import Tensor

from hrta.networks.two_layer import TwoLayer, with_bias
from hrta.problems.problem import Problem

# The torch engines round widths up to whole cache lines (16 float32), so that the weights of every
# run start at one. The order of summation of a matrix product depends on the alignment: otherwise
# the last bits of a run would depend on its position in the ensemble.
WIDTH_MULTIPLE = 16


def pack(networks: TwoLayer, multiple: int = 1) -> Tensor:
    """A copy of all weights in one tensor [R, d + 2, M], the outer weights in the last row.

    M is the width m rounded up to a multiple of `multiple`; the added neurons have zero weights.
    """
    runs, rows, width = networks.inner.shape
    packed = networks.inner.new_zeros(runs, rows + 1, -(-width // multiple) * multiple)
    packed[:, :-1, :width] = networks.inner.detach()
    packed[:, -1, :width] = networks.outer.detach()
    return packed


def unpack(packed: Tensor | np.ndarray, width: int) -> TwoLayer:
    """A copy of the networks of that width from a packed tensor; the inverse of `pack`."""
    packed = torch.as_tensor(packed)
    return TwoLayer(packed[:, :-1, :width].clone(), packed[:, -1, :width].clone())


def without_skip(x: Tensor, y: Tensor, skip: Tensor) -> Tensor:
    """The targets y [n] minus the skip term c . x of each run, [R, n], in the dtype of y.

    Args:
        x: biased points, [n, d + 1].
        y: targets, [n].
        skip: c of each run, [R, d + 1] float64.
    """
    # Not a matrix product: its rounding may depend on the number of runs.
    return (y - (skip[:, None] * x).sum(-1)).to(y.dtype)


def points_and_targets(x: np.ndarray, y: np.ndarray, like: Tensor) -> tuple[Tensor, Tensor]:
    """Points with a last column of ones, [n, d + 1], and targets [n], as tensors like `like`."""
    return with_bias(x, like), torch.as_tensor(np.array(y)).to(like)


def tested_points(problem: Problem, like: Tensor) -> tuple[Tensor, Tensor] | None:
    """As `points_and_targets`, of the test points; None without a test set."""
    if problem.x_test is None or problem.y_test is None:
        return None
    return points_and_targets(problem.x_test, problem.y_test, like)
