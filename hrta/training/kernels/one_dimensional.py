"""Loss and gradient in one dimension: each neuron switches at one place among the sorted points.

With x sorted, the pattern 1[w x_i + b > 0] of a neuron over the points is a step, up if w > 0, else
down: there are only 2 (n + 1) of them, and rounding keeps it so, since it is monotone. With q_k the
pattern of neuron k,

    sum_k P_ik a_k w_jk = sum over the patterns q active at i of sum_(k: q_k = q) a_k w_jk

is a histogram over patterns, summed from both ends, and the sums of the backward pass,
sum_i P_ik rho_ij, are a table to be looked up at q_k. A step costs O(n + m) instead of O(n m), and
q_k is known from the step before: whether it still holds takes the two points beside the switch.
"""

from typing import NamedTuple

import numpy as np

from hrta.runtime.compilation import compiled

CHECKED_AT_ONCE = 64


class Sorted(NamedTuple):
    """Points in increasing order, what is known of m neurons on them, and working memory.

    Attributes:
        x, y: points and targets, [n].
        switch: how many points lie before the switch of each neuron, [m] int32.
        before, after: the points on both sides of it, [m]; the largest number where there is none.
        pattern: q_k, [m] uint32; the switch of a neuron that goes up, n + 1 + switch of one that
            goes down.
        path: a_k w_jk, [m] complex: real for the weight, imaginary for the bias, so that one access
            to memory moves both. The same holds for the next two.
        histogram: of the path over patterns, [2, 2 (n + 1)]: even and odd neurons by themselves,
            or neighbours of the same pattern would wait for each other.
        table: sum_i P_ik rho_ij for each pattern, [2 (n + 1)].
        active: active paths of the neurons that go up, and of those that go down, [2, n].
        residual: [n].
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


@compiled
def prepare(x, y, switch, pair):
    """Working memory for one network on sorted points.

    Args:
        x, y: points and targets, [n].
        switch: kept from call to call, [m] int32; zeros at first.
        pair: the complex type of x's precision.
    """
    n, m, kind = len(x), len(switch), x.dtype
    before, after = np.empty(m, kind), np.empty(m, kind)
    for k in range(m):
        before[k], after[k] = _neighbours(x, switch[k])
    pattern, path = np.empty(m, np.uint32), np.empty(m, pair)
    histogram, table = np.empty((2, 2 * (n + 1)), pair), np.empty(2 * (n + 1), pair)
    active, residual = np.empty((2, n)), np.empty(n, kind)
    return Sorted(x, y, switch, before, after, pattern, path, histogram, table, active, residual)


@compiled
def _neighbours(x, switch):
    largest = np.finfo(x.dtype).max
    before = x[switch - 1] if switch > 0 else -largest
    after = x[switch] if switch < len(x) else largest
    return before, after


@compiled
def _locate(points, weight, bias):
    """Bring the switches up to date, [m] weights and biases; few have moved since the last step."""
    moved = np.empty(CHECKED_AT_ONCE, np.uint8)
    for first in range(0, len(weight), CHECKED_AT_ONCE):
        last = first + CHECKED_AT_ONCE
        w, b = weight[first:last], bias[first:last]
        before, after = points.before[first:last], points.after[first:last]
        any_moved = np.uint8(0)
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
    """The number of points before the neuron's switch, from a guess."""
    up = weight > 0
    while switch > 0 and (weight * x[switch - 1] + bias > 0) == up:
        switch -= 1
    while switch < len(x) and (weight * x[switch] + bias > 0) != up:
        switch += 1
    return switch


@compiled
def forward(points, parameters, s, scale):
    """Write the residual phi - y and return the loss; scalars in the dtype of the parameters."""
    weight, bias, outer = parameters[0], parameters[1], parameters[2]
    _locate(points, weight, bias)
    pattern, path = points.pattern, points.path
    downs = np.int32(len(points.x) + 1)
    for k in range(len(outer)):
        pattern[k] = points.switch[k] + (np.int32(0) if weight[k] > 0 else downs)
        path[k] = complex(outer[k] * weight[k], outer[k] * bias[k])
    linear = path[0] - path[0]
    for k in range(len(outer)):
        linear += path[k]
    even, odd = points.histogram[0], points.histogram[1]
    points.histogram[:] = 0
    for pair in range(len(outer) // 2):
        even[pattern[2 * pair]] += path[2 * pair]
        odd[pattern[2 * pair + 1]] += path[2 * pair + 1]
    if len(outer) % 2:
        even[pattern[len(outer) - 1]] += path[len(outer) - 1]
    return _residual(points, (1 - s) * linear.real, (1 - s) * linear.imag, s, scale)


@compiled
def _residual(points, linear0, linear1, s, scale):
    """The active paths at each point, summed over the patterns from both ends, in double.

    Both sums in one loop: each is a chain of additions that wait for each other.
    """
    x, residual = points.x, points.residual
    even, odd = points.histogram[0], points.histogram[1]
    ups, downs = points.active[0], points.active[1]
    n = len(x)
    up0 = up1 = down0 = down1 = 0.0
    for i in range(n):
        up0 += even[i].real + odd[i].real
        up1 += even[i].imag + odd[i].imag
        ups[i] = up0 * x[i] + up1
        last = n - 1 - i
        down0 += even[n + 2 + last].real + odd[n + 2 + last].real
        down1 += even[n + 2 + last].imag + odd[n + 2 + last].imag
        downs[last] = down0 * x[last] + down1
    loss = 0.0
    for i in range(n):
        phi = scale * (linear0 * x[i] + linear1 + s * (ups[i] + downs[i]))
        residual[i] = phi - points.y[i]
        loss += (phi - points.y[i]) ** 2
    return loss / (2 * n)


@compiled
def batch_memory(points, size, width):
    """A batch needs none of its own."""
    return points


@compiled
def forward_batch(points, batch_points, batch, parameters, s, scale):
    """As `forward` on the points of a batch, [b] indices; the others' residual is set to 0.

    A step costs O(n + m) whatever the batch: with few neurons to a point nothing is gained.
    """
    forward(points, parameters, s, scale)
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
    """Fill the table of sums over active points from the residual, and linear_j = sum_i rho_ij."""
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
    """sum_i P_ik rho_ij of a block of neurons, into [2, BLOCK]."""
    pattern, table = points.pattern[first:last], points.table
    sums0, sums1 = sums[0], sums[1]
    for k in range(len(pattern)):
        both = table[pattern[k]]
        sums0[k] = both.real
        sums1[k] = both.imag
