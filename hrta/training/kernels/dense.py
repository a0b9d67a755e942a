"""Loss and gradient in any dimension: all pairs of neurons and points, in register tiles.

The forward pass is phi_i = 1/sqrt(m) [(1 - s) sum_j x_ij sum_k w_jk a_k + s sum_k a_k relu(z_ik)].
It stores the pattern P = 1[z > 0], and the backward pass computes sum_i P_ik rho_ij. A step takes
(D + 2) n m multiply-adds and D n m additions; with AVX-512, D n m / 4 additions and look-ups.
"""

from typing import NamedTuple

import numpy as np

from hrta.runtime.compilation import compiled
from hrta.training.kernels.simd import (
    backward_tile,
    fill_tables,
    forward_tile,
    lanes_of,
    uses_tables,
)
from hrta.training.kernels.vectors import BYTE, GROUP, TABLE, VECTOR_BYTES, WORD

TILE = 4  # vectors in a tile; the remaining vectors are processed two or one at a time
PART = 64  # neurons whose activities are summed one by one; the sums are added to the activity


class Dense(NamedTuple):
    """Points and working memory for one network; layouts as in `hrta.training.kernels.simd`.

    Attributes:
        columns: the points transposed, [D, n], padded with zeros.
        y: targets, [n].
        weighted: rho_ij = r_i x_ij / (n sqrt(m)), [D / GROUP, GROUP, n], padded with zeros.
        tables: sums of rho over parts of groups of points, for GROUP inputs; used with AVX-512.
        patterns: one bit for each pair of a neuron and a point.
        activity: sum_k a_k relu(z_ik), [n], padded.
        residual: [n].
    """

    columns: np.ndarray
    y: np.ndarray
    weighted: np.ndarray
    tables: np.ndarray
    patterns: np.ndarray
    activity: np.ndarray
    residual: np.ndarray


def pack(x: np.ndarray) -> np.ndarray:
    """Points [n, D] as columns [D, n], n padded with zeros to whole vectors."""
    lanes = VECTOR_BYTES // x.itemsize
    columns = np.zeros((x.shape[1], -(-len(x) // lanes) * lanes), x.dtype)
    columns[:, : len(x)] = x.T
    return columns


@compiled
def prepare(columns, y, width):
    """Working memory for one network of (padded) width on packed points."""
    inputs, points = columns.shape
    kind = y.dtype.type
    input_groups, padded = (inputs + GROUP - 1) // GROUP, (len(y) + BYTE - 1) // BYTE * BYTE
    words = (points + WORD - 1) // WORD
    x = _aligned(inputs * points, kind).reshape(inputs, points)
    # Not x[:] = columns: it takes numba several seconds to compile.
    for j in range(inputs):
        for i in range(points):
            x[j, i] = columns[j, i]
    return Dense(
        x,
        y,
        np.zeros((input_groups, GROUP, padded), y.dtype),
        _aligned(padded * TABLE, kind).reshape(padded // GROUP, GROUP, TABLE),
        _aligned(words * width, np.uint32).reshape(words, width),
        np.empty(points, y.dtype),
        np.empty(len(y), y.dtype),
    )


@compiled
def _aligned(size, kind):
    """Zeros that begin at a multiple of VECTOR_BYTES: vectors that cross cache lines are slower.

    Behind them, a vector may still be read.
    """
    memory = np.zeros(size + VECTOR_BYTES, kind)
    lanes = lanes_of(memory)
    first = lanes - memory.ctypes.data // memory.itemsize % lanes
    return memory[first : first + size]


@compiled
def forward(points, parameters, s, scale):
    """Write the residual phi - y and return the loss; scalars in the dtype of the parameters."""
    activity, residual = points.activity, points.residual
    activity[:] = 0
    width = parameters.shape[1]
    # The update ends with the last neurons, so these are in the first-level cache.
    for last in range(width, 0, -PART):
        _add_activity(points, parameters, max(last - PART, 0), last)
    linear = _linear_path(parameters)
    for i in range(len(residual)):
        residual[i] = s * activity[i]
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
def add_chunk(points, parameters, first, last):
    """Nothing: the whole forward pass comes after the updates of all neurons."""


complete = forward


@compiled
def _add_activity(points, parameters, first, last):
    """Add a_k relu(z_ik) of some neurons to the activity, and write their patterns."""
    columns, patterns, activity = points.columns, points.patterns, points.activity
    lanes = lanes_of(activity)
    start = 0
    while start + TILE * lanes <= len(activity):
        forward_tile(columns, start, parameters, first, last, patterns, activity, TILE)
        start += TILE * lanes
    if start + 2 * lanes <= len(activity):
        forward_tile(columns, start, parameters, first, last, patterns, activity, 2)
        start += 2 * lanes
    if start < len(activity):
        forward_tile(columns, start, parameters, first, last, patterns, activity, 1)


@compiled
def batch_memory(points, size, width):
    """Working memory for a batch of `size` points."""
    inputs, kind = len(points.columns), points.y.dtype
    lanes = lanes_of(points.y)
    columns = np.zeros((inputs, (size + lanes - 1) // lanes * lanes), kind)
    return prepare(columns, np.zeros(size, kind), width)


@compiled
def forward_batch(points, batch_points, batch, parameters, s, scale):
    """As `forward`, on the points of a batch, [b] indices, which are copied first."""
    for b in range(len(batch)):
        i = batch[b]
        batch_points.y[b] = points.y[i]
        for j in range(len(points.columns)):
            batch_points.columns[j, b] = points.columns[j, i]
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
    residual = points.residual
    factor = scale / residual.dtype.type(len(residual))
    for j in range(len(linear)):
        column, rho = points.columns[j], points.weighted[j // GROUP, j % GROUP]
        total = residual.dtype.type(0)
        for i in range(len(residual)):
            value = factor * residual[i] * column[i]
            rho[i] = value
            total += value
        linear[j] = total


@compiled
def sums_of_block(points, parameters, first, last, sums):
    """Write sum_i P_ik rho_ij of a block of neurons to sums, [D padded, BLOCK]."""
    weighted, tables, patterns = points.weighted, points.tables, points.patterns
    lanes = lanes_of(parameters)
    for group in range(len(weighted)):
        rho, rows = weighted[group], sums[group * GROUP : (group + 1) * GROUP]
        # With one group of inputs, the tables are those of the block before.
        if uses_tables() and (first == 0 or len(weighted) > 1):
            fill_tables(rho, tables)
        k = first
        while k + TILE * lanes <= last:
            backward_tile(patterns, k, rho, tables, rows, k - first, TILE)
            k += TILE * lanes
        while k < last:
            backward_tile(patterns, k, rho, tables, rows, k - first, 1)
            k += lanes
