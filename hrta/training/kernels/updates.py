"""Gradients from sums over active points, and updates from gradients, for a block of neurons.

The optimizers are those of `hrta.training.optimizers`, for arrays. Subnormal moments are set to 0:
the moments of a neuron without gradient decay to subnormal numbers, with which arithmetic is a
hundred times slower on most CPUs.
"""

import numpy as np

from hrta.runtime.compilation import compiled
from hrta.training.optimizers import OPTIMIZERS, Adam

OPTIMIZER_CODES = {name: code for code, name in enumerate(OPTIMIZERS)}
GRADIENT_DESCENT, HEAVY_BALL, NESTEROV, ADAM = (
    OPTIMIZER_CODES[name] for name in ("gradient_descent", "heavy_ball", "nesterov", "adam")
)
BETA1, BETA2, EPS = Adam.beta1, Adam.beta2, Adam.eps
# Neurons in a block: their weights, moments and gradients fit the first-level cache.
BLOCK = 256


@compiled
def gradient_of_block(parameters, first, last, sums, linear, s, gradient):
    """dR/dw_jk = a_k B_jk and dR/da_k = sum_j w_jk B_jk with B_jk = linear_j + s sums_jk.

    Args:
        parameters: [D + 1, M], the outer weights in the last row.
        first, last: the range of neurons of the block.
        sums: sum_i P_ik rho_ij, [D or more, BLOCK].
        linear: (1 - s) sum_i rho_ij, [D].
        s: homotopy parameter, in the dtype of the parameters.
        gradient: output, [D + 1, BLOCK].
    """
    inputs = len(parameters) - 1
    outer = parameters[inputs, first:last]
    outer_gradient = gradient[inputs]
    outer_gradient[:] = 0
    for j in range(inputs):
        inner, row, sums_j, linear_j = parameters[j, first:last], gradient[j], sums[j], linear[j]
        for k in range(len(outer)):
            b = linear_j + s * sums_j[k]
            outer_gradient[k] += inner[k] * b
            row[k] = outer[k] * b


@compiled
def update_block(
    parameters, state, moving, first, last, gradient, optimizer, rate, momentum, debias
):
    """Update the parameters [D + 1, M] of a block of neurons; all scalars are of their dtype.

    Args:
        moving: number of rows to update; D if the outer weights are fixed.
        state: [state size, D + 1, M].
        gradient: [D + 1, BLOCK].
        optimizer: one of OPTIMIZER_CODES.
        rate: learning rate, for Adam divided by the correction of the first moment.
        debias: 1 / correction of Adam's second moment.
    """
    for j in range(moving):
        weights = parameters[j, first:last]
        if optimizer == GRADIENT_DESCENT:
            _gradient_descent(weights, gradient[j], rate)
        elif optimizer == HEAVY_BALL:
            _heavy_ball(weights, state[0, j, first:last], gradient[j], rate, momentum)
        elif optimizer == NESTEROV:
            _nesterov(weights, state[0, j, first:last], gradient[j], rate, momentum)
        else:
            _adam(
                weights,
                state[0, j, first:last],
                state[1, j, first:last],
                gradient[j],
                rate,
                debias,
            )


@compiled
def _gradient_descent(weights, gradient, rate):
    for k in range(len(weights)):
        weights[k] -= rate * gradient[k]


@compiled
def _heavy_ball(weights, last_update, gradient, rate, momentum):
    for k in range(len(weights)):
        update = _normal(momentum * last_update[k] - rate * gradient[k])
        last_update[k] = update
        weights[k] += update


@compiled
def _nesterov(weights, lead, gradient, rate, momentum):
    for k in range(len(weights)):
        descent = -rate * gradient[k]
        ahead = _normal(momentum * (lead[k] + descent))
        lead[k] = ahead
        weights[k] += descent + ahead


@compiled
def _adam(weights, first, second, gradient, rate, debias):
    kind = weights.dtype.type
    beta1, rest1 = kind(BETA1), kind(1 - BETA1)
    beta2, rest2 = kind(BETA2), kind(1 - BETA2)
    eps = kind(EPS)
    for k in range(len(weights)):
        g = gradient[k]
        mean = _normal(beta1 * first[k] + rest1 * g)
        square = _normal(beta2 * second[k] + rest2 * (g * g))
        first[k] = mean
        second[k] = square
        weights[k] -= rate * mean / (np.sqrt(square * debias) + eps)


@compiled
def _normal(value):
    """The value, or 0 if it is subnormal; NaN remains NaN."""
    return value if abs(value) >= np.finfo(value).tiny else value - value
