"""Loss and gradient in one dimension: each neuron switches at one position in the sorted points.

With x sorted, the pattern 1[w x_i + b > 0] of a neuron over the points is a step, up if w > 0, else
down: there are only 2 (n + 1) patterns, also with rounding, which is monotone. With q_k the
pattern of neuron k,

    sum_k P_ik a_k w_jk = sum over the patterns q active at i of sum_(k: q_k = q) a_k w_jk

is a histogram over patterns with cumulative sums from both ends, and the sums of the backward pass,
sum_i P_ik rho_ij, are a table with index q_k. A step costs O(n + m) instead of O(n m). q_k is kept
from the previous step: the two points next to the switch show whether it has changed.

A chunk of neurons does its part of the forward pass, `add_chunk`, without the others. So the loop
calls it as soon as the chunk is updated, while its weights are in the cache. `complete` ends the
pass.
"""

from typing import NamedTuple

import numpy as np

from hrta.runtime.compilation import compiled

CHECKED_AT_ONCE = 64
# Neurons whose forward pass follows their update at once, a multiple of `updates.BLOCK`: what they
# need fits the second-level cache.
CHUNK = 2048


class Sorted(NamedTuple):
    """Points in increasing order, the switches of m neurons on them, and working memory.

    Attributes:
        x, y: points and targets, [n].
        switch: number of points before the switch of each neuron, [m] int32.
        before, after: the points on both sides of the switch, [m]; without such a point, the
            largest number of the dtype, negative for before.
        pattern: q_k, [m] uint32; the switch for w > 0, n + 1 + switch otherwise.
        path: a_k w_jk of a chunk, [CHUNK] complex: the real part for the weight and the imaginary
            part for the bias, so that one memory access reads both. The same holds for histogram
            and table.
        histogram: sums of the path over patterns, [2, 2 (n + 1)]. Even and odd neurons have
            separate sums, so that consecutive neurons with one pattern do not wait for each other.
        table: sum_i P_ik rho_ij for each pattern, [2 (n + 1)].
        active: sums over the active neurons with w > 0 and over the others, [2, n].
        residual: phi - y, [n].
        moved: whether the switch of a neuron has moved, [CHECKED_AT_ONCE] uint8.
    """

    x: np.ndarray
    y: np.ndarray
    switch: np.ndarray
    before: np.ndarray
    after: np.ndarray
    pattern: np.ndarray
    path: np.ndarray
    histogram: np.ndarray
    table: np.ndarray
    active: np.ndarray
    residual: np.ndarray
    moved: np.ndarray


@compiled
def prepare(x, y, switch, pair):
    """Working memory for one network on sorted points.

    Args:
        x, y: points and targets, [n].
        switch: the caller keeps it between calls, [m] int32; initially 0.
        pair: the complex type with the precision of x.
    """
    n, m, kind = len(x), len(switch), x.dtype
    before, after = np.empty(m, kind), np.empty(m, kind)
    for k in range(m):
        before[k], after[k] = _neighbours(x, switch[k])
    pattern, path = np.empty(m, np.uint32), np.empty(CHUNK, pair)
    histogram, table = np.empty((2, 2 * (n + 1)), pair), np.empty(2 * (n + 1), pair)
    active, residual = np.empty((2, n)), np.empty(n, kind)
    moved = np.empty(CHECKED_AT_ONCE, np.uint8)
    return Sorted(
        *(x, y, switch, before, after, pattern, path, histogram, table, active, residual, moved)
    )


@compiled
def _neighbours(x, switch):
    largest = np.finfo(x.dtype).max
    before = x[switch - 1] if switch > 0 else -largest
    after = x[switch] if switch < len(x) else largest
    return before, after


@compiled
def _locate(points, parameters, start, end):
    """Update the switches of a range of neurons; few have moved since the last step."""
    for first in range(start, end, CHECKED_AT_ONCE):
        last = min(first + CHECKED_AT_ONCE, end)
        w, b = parameters[0, first:last], parameters[1, first:last]
        before, after = points.before[first:last], points.after[first:last]
        moved, any_moved = points.moved, np.uint8(0)
        for k in range(len(w)):
            up = w[k] > 0
            left, right = w[k] * before[k] + b[k], w[k] * after[k] + b[k]
            moved[k] = ((left > 0) == up) | ((right > 0) != up)
            any_moved |= moved[k]
        if any_moved:
            switch = points.switch[first:last]
            for k in range(len(w)):
                if moved[k]:
                    switch[k] = _walk(points.x, w[k], b[k], switch[k])
                    before[k], after[k] = _neighbours(points.x, switch[k])


@compiled
def _walk(x, weight, bias, switch):
    """The number of points before the switch of a neuron; the search starts from `switch`."""
    up = weight > 0
    while switch > 0 and (weight * x[switch - 1] + bias > 0) == up:
        switch -= 1
    while switch < len(x) and (weight * x[switch] + bias > 0) != up:
        switch += 1
    return switch


@compiled
def forward(points, parameters, s, scale):
    """Write the residual phi - y and return the loss; scalars in the dtype of the parameters."""
    width = parameters.shape[1]
    for first in range(0, width, CHUNK):
        add_chunk(points, parameters, first, min(first + CHUNK, width))
    return complete(points, parameters, s, scale)


@compiled
def add_chunk(points, parameters, first, last):
    """Add neurons to a forward pass: `first` is a multiple of CHUNK, and 0 begins a new pass."""
    _locate(points, parameters, first, last)
    weight, bias = parameters[0, first:last], parameters[1, first:last]
    outer = parameters[2, first:last]
    switch, pattern, path = points.switch[first:last], points.pattern[first:last], points.path
    downs = np.int32(len(points.x) + 1)
    for k in range(len(outer)):
        pattern[k] = switch[k] + (np.int32(0) if weight[k] > 0 else downs)
        path[k] = complex(outer[k] * weight[k], outer[k] * bias[k])
    if first == 0:
        points.histogram[:] = 0
    even, odd = points.histogram[0], points.histogram[1]
    for pair in range(len(outer) // 2):
        even[pattern[2 * pair]] += path[2 * pair]
        odd[pattern[2 * pair + 1]] += path[2 * pair + 1]
    if len(outer) % 2:
        even[pattern[len(outer) - 1]] += path[len(outer) - 1]


@compiled
def complete(points, parameters, s, scale):
    """End a forward pass: write the residual and return the loss.

    The histogram is summed from both ends in float64. Both sums are in one loop, because the
    additions of one sum depend on each other.
    """
    x, residual = points.x, points.residual
    even, odd = points.histogram[0], points.histogram[1]
    ups, downs = points.active[0], points.active[1]
    n = len(x)
    never = even[n] + odd[n] + even[n + 1] + odd[n + 1]
    up0 = up1 = down0 = down1 = 0.0
    for i in range(n):
        up0 += even[i].real + odd[i].real
        up1 += even[i].imag + odd[i].imag
        ups[i] = up0 * x[i] + up1
        last = n - 1 - i
        down0 += even[n + 2 + last].real + odd[n + 2 + last].real
        down1 += even[n + 2 + last].imag + odd[n + 2 + last].imag
        downs[last] = down0 * x[last] + down1
    # sum_k a_k w_jk, with the neurons that are active at no point
    linear0 = up0 + down0 + never.real
    linear1 = up1 + down1 + never.imag
    loss = 0.0
    for i in range(n):
        phi = scale * ((1 - s) * (linear0 * x[i] + linear1) + s * (ups[i] + downs[i]))
        residual[i] = phi - points.y[i]
        loss += (phi - points.y[i]) ** 2
    return loss / (2 * n)


@compiled
def batch_memory(points, size, width):
    """The points themselves: a batch needs no extra memory."""
    return points


@compiled
def forward_batch(points, batch_points, batch, parameters, s, scale):
    """As `complete`, on the points of a batch, [b] indices; other points get residual 0.

    A step costs O(n + m) for any batch size.
    """
    complete(points, parameters, s, scale)
    residual = points.residual
    kept = np.zeros(len(residual), residual.dtype)
    share = residual.dtype.type(len(residual) / len(batch))
    loss = 0.0
    for i in batch:
        loss += residual[i] * residual[i]
        kept[i] = share * residual[i]
    residual[:] = kept
    return loss / (2 * len(batch))


@compiled
def backward(points, scale, linear):
    """Write the table of sums over active points, and linear_j = sum_i rho_ij."""
    x, residual, table = points.x, points.residual, points.table
    n = len(x)
    factor = scale / n
    up0 = up1 = down0 = down1 = 0.0
    table[n] = table[n + 1] = 0
    for i in range(n):
        rho = factor * residual[i]
        down0 += rho * x[i]
        down1 += rho
        table[n + 2 + i] = complex(down0, down1)
        last = n - 1 - i
        rho = factor * residual[last]
        up0 += rho * x[last]
        up1 += rho
        table[last] = complex(up0, up1)
    linear[0], linear[1] = up0, up1


@compiled
def sums_of_block(points, parameters, first, last, sums):
    """Write sum_i P_ik rho_ij of a block of neurons to sums, [2, CHUNK]."""
    pattern, table = points.pattern[first:last], points.table
    sums0, sums1 = sums[0], sums[1]
    for k in range(len(pattern)):
        both = table[pattern[k]]
        sums0[k] = both.real
        sums1[k] = both.imag
