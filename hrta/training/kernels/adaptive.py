"""Loss, gradient and updates of one network with locally adaptive activations.

A layer is h_l = sigma(z_l), z_l = h_(l-1) M'_l, M'_l = n a_l M_l, with the bias in the last row of
M_l and a last column of ones in h_(l-1); h_0 are the points. Loss and gradient are sums over
points, so blocks of points go forward and backward through all layers one after another, and the h
of a block fit the cache. The derivatives of the activations follow from their values, so
q_l = dL/dz_l replaces h_l:

    q_(l-1) = sigma'(z_(l-1)) (q_l M'_l^T),    dL/dM'_l = sum over blocks h_(l-1)^T q_l.

With G' = dL/dM', dL/dM = n a G' and dL/da = n sum M G', over a neuron's weights or over a layer's.
"""

import numpy as np

from hrta.runtime.compilation import compiled
from hrta.training.kernels.actions import ADD, RELU, RELU_BACK, TANH, TANH_BACK
from hrta.training.kernels.last_layer import outputs, outputs_back
from hrta.training.kernels.products import multiply
from hrta.training.kernels.updates import ADAM, BETA1, BETA2, update_block
from hrta.training.kernels.vectors import GROUP


@compiled
def value(parameters, settings, memory, x, y):
    """The mean square at the points x [n', D], padded, with targets y [n]."""
    _absorb(parameters, settings, memory)
    block, loss = len(memory.changes), 0.0
    for first in range(0, len(x), block):
        rows = min(block, len(x) - first)
        _forward(settings, memory, x, first, rows)
        loss += _last_layer(parameters.outer, settings, memory, y, first, rows)
    return loss / len(y)


@compiled
def value_and_gradient(parameters, gradient, settings, memory, x, y):
    """The mean square, as `value`; the gradient includes that of slope recovery."""
    _absorb(parameters, settings, memory)
    gradient.outer[:] = 0
    for sums in memory.sums:
        sums[:] = 0
    block, loss = len(memory.changes), 0.0
    for first in range(0, len(x), block):
        rows = min(block, len(x) - first)
        _forward(settings, memory, x, first, rows)
        loss += _last_layer(parameters.outer, settings, memory, y, first, rows)
        changes, hidden = memory.changes, memory.hidden[-1]
        for row in range(0, rows, GROUP):
            if settings.is_tanh:
                outputs_back(changes, parameters.outer, hidden, row, gradient.outer, TANH_BACK)
            else:
                outputs_back(changes, parameters.outer, hidden, row, gradient.outer, RELU_BACK)
        _backward(settings, memory, x, first, rows)
    _finish(parameters, gradient, settings, memory)
    return loss / len(y)


@compiled
def _absorb(parameters, settings, memory):
    """Write n a of each neuron, M' = n a M and its transpose."""
    for layer in range(len(parameters.matrices)):
        slope, steepness = parameters.slopes[layer], memory.steepness[layer]
        for k in range(len(steepness)):
            steepness[k] = settings.scale * slope[k if settings.by_neuron else 0]
        matrix, plain = parameters.matrices[layer], memory.plain[layer]
        for j in range(len(plain)):
            for k in range(len(steepness)):
                plain[j, k] = steepness[k] * matrix[j, k]
        if layer > 0:
            turned = memory.turned[layer]
            for k in range(settings.widths[layer]):
                for j in range(settings.widths[layer - 1]):
                    turned[k, j] = plain[j, k]


@compiled
def _forward(settings, memory, x, first, rows):
    """Write h of every layer at `rows` points from the first one."""
    left, start, count = x, first * x.shape[1], settings.inputs
    for layer in range(len(memory.hidden)):
        plain, hidden, width = memory.plain[layer], memory.hidden[layer], settings.widths[layer]
        step = left.shape[1]
        if settings.is_tanh:
            multiply(left, start, step, 1, count, plain, hidden, rows, TANH)
        else:
            multiply(left, start, step, 1, count, plain, hidden, rows, RELU)
        for i in range(rows):
            hidden[i, width] = 1
        left, start, count = hidden, 0, width + 1


@compiled
def _last_layer(outer, settings, memory, y, first, rows):
    """The sum of squares of a block of points; writes the derivative of the mean square."""
    changes, kind = memory.changes, outer.dtype.type
    for row in range(0, rows, GROUP):
        outputs(outer, memory.hidden[-1], row, changes)
    there = min(rows, len(y) - first)
    share, loss = 2 * settings.factor / kind(len(y)), 0.0
    for i in range(there):
        residual = settings.factor * changes[i] - y[first + i]
        loss += residual * residual
        changes[i] = share * residual
    changes[there:rows] = 0
    return loss


@compiled
def _backward(settings, memory, x, first, rows):
    """Add to the gradient with respect to M'; replaces h of all layers by q."""
    for layer in range(len(memory.hidden) - 1, -1, -1):
        back, sums = memory.hidden[layer], memory.sums[layer]
        left = memory.hidden[layer - 1] if layer > 0 else x
        start, step = 0 if layer > 0 else first * x.shape[1], left.shape[1]
        multiply(left, start, 1, step, rows, back, sums, len(sums), ADD)
        if layer > 0:
            turned, step, count = memory.turned[layer], back.shape[1], settings.widths[layer]
            if settings.is_tanh:
                multiply(back, 0, step, 1, count, turned, left, rows, TANH_BACK)
            else:
                multiply(back, 0, step, 1, count, turned, left, rows, RELU_BACK)


@compiled
def _finish(parameters, gradient, settings, memory):
    """From the gradient with respect to M' to that with respect to M and a."""
    widths = settings.widths
    gradient.outer[widths[-1] + (1 if settings.has_bias else 0) :] = 0
    for layer in range(len(widths)):
        steepness, of_slopes = memory.steepness[layer], gradient.slopes[layer]
        of_slopes[:] = 0
        matrix, target = parameters.matrices[layer], gradient.matrices[layer]
        sums = memory.sums[layer]
        for j in range(len(matrix)):
            for k in range(widths[layer]):
                of_slopes[k] += settings.scale * matrix[j, k] * sums[j, k]
                target[j, k] = steepness[k] * sums[j, k]
        if not settings.by_neuron:
            total = of_slopes.sum()
            of_slopes[:] = 0
            of_slopes[0] = total
    if settings.recovery:
        _add_recovery(parameters, gradient, settings)


@compiled
def _add_recovery(parameters, gradient, settings):
    """Add the gradient of recovery S(a), S = L / sum_l exp(mean a_l), in float64."""
    widths, total = settings.widths, 0.0
    for layer in range(len(widths)):
        total += np.exp(_mean_slope(parameters, settings, layer))
    for layer in range(len(widths)):
        count = widths[layer] if settings.by_neuron else 1
        steepness = np.exp(_mean_slope(parameters, settings, layer))
        share = settings.recovery * len(widths) * steepness / (total * total * count)
        slopes = gradient.slopes[layer]
        for k in range(count):
            slopes[k] -= share


@compiled
def _mean_slope(parameters, settings, layer):
    total, count = 0.0, settings.widths[layer] if settings.by_neuron else 1
    for k in range(count):
        total += parameters.slopes[layer][k]
    return total / count


@compiled
def advance(
    parameters, gradient, settings, memory, data, test, state, corrections, rates, logged, losses
):
    """T updates of one network.

    Args:
        parameters: updated.
        gradient: as the parameters, overwritten.
        settings, memory: see above.
        data, test: x and y of training and of test points, as for `value`; the latter may be empty.
        state: state of the optimizer, [state size, 1, P], updated.
        corrections: of Adam's two moments, 1 - beta^t, [2] float64, updated.
        rates: learning rate of each update, [T] float64.
        logged: whether to store the losses before each update, [T]; or [T + 1], also at the end.
        losses: output, loss and test loss, [2, logged steps]; infinite after divergence.

    Returns:
        The number of updates before the loss was non-finite, or -1.
    """
    kind = parameters.outer.dtype.type
    row = 0
    for step in range(len(logged)):
        loss = value_and_gradient(parameters, gradient, settings, memory, data[0], data[1])
        # Not np.isfinite: it computes loss - loss, which reassociation may make 0 even for NaN.
        if not abs(loss) < np.inf:
            losses[:, row:] = np.inf
            return step
        if logged[step]:
            losses[0, row] = loss
            if len(test[1]):
                losses[1, row] = value(parameters, settings, memory, test[0], test[1])
            row += 1
        if step == len(rates):
            break
        corrections[0] = BETA1 * corrections[0] + (1 - BETA1)
        corrections[1] = BETA2 * corrections[1] + (1 - BETA2)
        is_adam = settings.optimizer == ADAM
        rate = kind(rates[step] / corrections[0] if is_adam else rates[step])
        last = settings.trained
        block = (parameters.flat, state, 1, 0, last, gradient.flat)
        update_block(*block, settings.optimizer, rate, settings.momentum, kind(1 / corrections[1]))
    return -1
