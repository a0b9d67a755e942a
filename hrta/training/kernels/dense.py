"""Loss and gradient in any dimension: all pairs of neurons and points, in register tiles.

The forward pass is phi_i = 1/sqrt(m) [(1 - s) sum_j x_ij sum_k w_jk a_k + s sum_k a_k relu(z_ik)].
It stores the pattern P = 1[z > 0], and the backward pass computes sum_i P_ik rho_ij. A step takes
(D + 2) n m multiply-adds and D n m additions.
"""

from typing import NamedTuple

import numpy as np

from hrta.runtime.compilation import compiled
from hrta.training.kernels.simd import (
    GROUP,
    VECTOR_BYTES,
    backward_tile,
    forward_tile,
    sum_of_lanes,
)

TILE = 4  # vectors of neurons in a tile; the remaining vectors are processed one at a time


class Dense(NamedTuple):
    """Points and working memory for one network; layouts as in `hrta.training.kernels.simd`.

    Attributes:
        x: points, [n / 4, D, 4].
        columns: the points transposed, [D, n].
        y: targets, [n].
        weighted: rho_ij = r_i x_ij / (n sqrt(m)), [D / 4, n, 4].
        patterns: one bit for each pair of a neuron and a (padded) point.
        activity: sum_k a_k relu(z_ik) as partial sums, one per lane, [n, L], n padded.
        residual: [n].
    """

    x: np.ndarray
    columns: np.ndarray
    y: np.ndarray
    weighted: np.ndarray
    patterns: np.ndarray
    activity: np.ndarray
    residual: np.ndarray


def pack(x: np.ndarray) -> np.ndarray:
    """Points [n, D] as [n / GROUP, D, GROUP], padded with zeros."""
    groups = -(-len(x) // GROUP)
    padded = np.zeros((groups * GROUP, x.shape[1]), x.dtype)
    padded[: len(x)] = x
    return np.ascontiguousarray(padded.reshape(groups, GROUP, x.shape[1]).transpose(0, 2, 1))


@compiled
def prepare(x, y, width):
    """Working memory for one network of (padded) width on packed points."""
    groups, inputs, _ = x.shape
    kind = x.dtype
    lanes = VECTOR_BYTES // x.itemsize
    points = GROUP * groups
    input_groups = (inputs + GROUP - 1) // GROUP
    weighted = np.zeros((input_groups, points, GROUP), kind)
    patterns = np.empty(points * (width // 8 + 1), np.uint8)
    activity = np.empty((points, lanes), kind)
    columns = np.empty((inputs, len(y)), kind)
    for i in range(len(y)):
        for j in range(inputs):
            columns[j, i] = x[i // GROUP, j, i % GROUP]
    return Dense(x, columns, y, weighted, patterns, activity, np.empty(len(y), kind))


@compiled
def forward(points, parameters, s, scale):
    """Write the residual phi - y and return the loss; scalars in the dtype of the parameters."""
    activity, residual = points.activity, points.residual
    lanes = activity.shape[1]
    width = parameters.shape[1]
    activity[:] = 0
    first = 0
    while first + TILE * lanes <= width:
        forward_tile(parameters, first, points.x, points.patterns, activity, TILE)
        first += TILE * lanes
    while first < width:
        forward_tile(parameters, first, points.x, points.patterns, activity, 1)
        first += lanes
    for i in range(len(residual)):
        residual[i] = s * sum_of_lanes(activity, i)
    linear = _linear_path(parameters)
    for j in range(len(linear)):
        column, slope = points.columns[j], (1 - s) * linear[j]
        for i in range(len(residual)):
            residual[i] += slope * column[i]
    loss = 0.0
    for i in range(len(residual)):
        residual[i] = scale * residual[i] - points.y[i]
        loss += residual[i] * residual[i]
    return loss / (2 * len(residual))


@compiled
def batch_memory(points, size, width):
    """Working memory for a batch of `size` points."""
    groups = (size + GROUP - 1) // GROUP
    x = np.zeros((groups, points.x.shape[1], GROUP), points.x.dtype)
    return prepare(x, np.zeros(size, points.y.dtype), width)


@compiled
def forward_batch(points, batch_points, batch, parameters, s, scale):
    """As `forward`, on the points of a batch, [b] indices, which are copied first."""
    for b in range(len(batch)):
        i = batch[b]
        batch_points.y[b] = points.y[i]
        for j in range(len(points.columns)):
            value = points.columns[j, i]
            batch_points.columns[j, b] = value
            batch_points.x[b // GROUP, j, b % GROUP] = value
    return forward(batch_points, parameters, s, scale)


@compiled
def _linear_path(parameters):
    """sum_k w_jk a_k, [D]."""
    inputs = len(parameters) - 1
    outer = parameters[inputs]
    linear = np.empty(inputs, parameters.dtype)
    for j in range(inputs):
        inner, total = parameters[j], outer.dtype.type(0)
        for k in range(len(outer)):
            total += inner[k] * outer[k]
        linear[j] = total
    return linear


@compiled
def backward(points, scale, linear):
    """Write rho, the points weighted by the residual, and linear_j = sum_i rho_ij."""
    residual, weighted = points.residual, points.weighted
    factor = scale / residual.dtype.type(len(residual))
    for j in range(len(linear)):
        column, rho = points.columns[j], weighted[j // GROUP, :, j % GROUP]
        total = residual.dtype.type(0)
        for i in range(len(residual)):
            value = factor * residual[i] * column[i]
            rho[i] = value
            total += value
        linear[j] = total


@compiled
def sums_of_block(points, parameters, first, last, sums):
    """Write sum_i P_ik rho_ij of a block of neurons to sums, [D padded, BLOCK]."""
    lanes = points.activity.shape[1]
    weighted, patterns = points.weighted, points.patterns
    k = first
    while k + TILE * lanes <= last:
        backward_tile(parameters, k, weighted, patterns, sums, k - first, TILE)
        k += TILE * lanes
    while k < last:
        backward_tile(parameters, k, weighted, patterns, sums, k - first, 1)
        k += lanes
