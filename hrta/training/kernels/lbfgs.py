"""Loss and gradient of one network, and the direction of L-BFGS."""

from typing import NamedTuple

import numpy as np

from hrta.runtime.compilation import compiled
from hrta.training.kernels.loop import backward, forward, prepare, sums_of_block
from hrta.training.kernels.updates import BLOCK, gradient_of_block


class Pairs(NamedTuple):
    """The last h pairs of differences; pair j is in row j % h.

    Attributes:
        steps: differences of the parameters, [h, N].
        changes: differences of the gradient, [h, N].
        products: inner products of a step and its change, [h].
    """

    steps: np.ndarray
    changes: np.ndarray
    products: np.ndarray


@compiled
def prepare_points(x, y, switch, width):
    """`hrta.training.kernels.loop.prepare`, which can only be called from compiled code."""
    return prepare(x, y, switch, width)


@compiled
def value_and_gradient(points, parameters, s, scale):
    """The loss, rounded to the dtype of the parameters [D + 1, M], and its gradient [D + 1, M]."""
    rows, width = parameters.shape
    loss = parameters.dtype.type(forward(points, parameters, s, scale))
    linear = np.empty(rows - 1, parameters.dtype)
    backward(points, scale, linear)
    linear *= parameters.dtype.type(1 - s)
    sums = np.empty((rows + 2, BLOCK), parameters.dtype)
    of_block = np.empty((rows, BLOCK), parameters.dtype)
    gradient = np.empty_like(parameters)
    for first in range(0, width, BLOCK):
        last = min(first + BLOCK, width)
        sums_of_block(points, parameters, first, last, sums)
        gradient_of_block(parameters, first, last, sums, linear, s, of_block)
        gradient[:, first:last] = of_block[:, : last - first]
    return loss, gradient


@compiled
def value(points, parameters, s, scale):
    """The loss."""
    return forward(points, parameters, s, scale)


@compiled
def next_direction(pairs, count, scale, step, change, gradient):
    """-H g, H the inverse Hessian of L-BFGS, by the two-loop recursion.

    Args:
        pairs: the pairs before, updated.
        count: number of pairs that have been stored.
        scale: the initial H before, a multiple of the identity.
        step, change: the next pair, s and y, [N]; it is stored if y.s is positive.
        gradient: g, [N].

    Returns:
        The direction, and the updated count and scale.
    """
    size = len(pairs.products)
    product = _dot(step, change)
    if product > 1e-10:
        row = count % size
        pairs.steps[row], pairs.changes[row], pairs.products[row] = step, change, product
        scale = product / _dot(change, change)
        count += 1
    first = max(0, count - size)
    weights = np.empty(size, gradient.dtype)
    direction = -gradient
    for pair in range(count - 1, first - 1, -1):
        row = pair % size
        weights[row] = _dot(pairs.steps[row], direction) / pairs.products[row]
        _add(direction, -weights[row], pairs.changes[row])
    direction *= scale
    for pair in range(first, count):
        row = pair % size
        weight = _dot(pairs.changes[row], direction) / pairs.products[row]
        _add(direction, weights[row] - weight, pairs.steps[row])
    return direction, count, scale


@compiled
def _dot(x, y):
    total = x.dtype.type(0)
    for i in range(len(x)):
        total += x[i] * y[i]
    return total


@compiled
def _add(x, factor, y):
    for i in range(len(x)):
        x[i] += factor * y[i]
