"""Loss, gradient and updates of one network with locally adaptive activations.

A layer is h_l = sigma(h_(l-1) M'_l), M'_l = n a_l M_l, with the bias in the last row of M_l and a last
column of ones in h_(l-1); h_0 are the points. Loss and gradient are sums over points. So they are
computed for a block of points after the other, whose h fit the first-level cache: forward and
backward through all layers. The derivatives follow from the values of the activations, and q, the
derivative with respect to h M', replaces h:

    q_(l-1) = sigma'(h_(l-1)) (q_l M'_l^T),    dL/dM'_l = sum over blocks h_(l-1)^T q_l.

M is padded with zeros to whole tiles of `hrta.training.kernels.products`.
"""

from typing import NamedTuple

import numpy as np

from hrta.runtime.compilation import compiled
from hrta.training.kernels.actions import ADD, RELU, RELU_BACK, TANH, TANH_BACK
from hrta.training.kernels.last_layer import outputs, outputs_back
from hrta.training.kernels.products import multiply
from hrta.training.kernels.updates import ADAM, BETA1, BETA2, update_block
from hrta.training.kernels.vectors import GROUP

# Numbers of the widest layer in a block of points: 32 KiB in float32.
BLOCK_NUMBERS = 2**13


class Parameters(NamedTuple):
    """The parameters of a network, or its gradient: views of one array.

    Attributes:
        flat: all numbers, [1, P], the slopes last.
        matrices: M of each hidden layer, [rows, columns], padded.
        outer: weights of the last layer, [columns]; its bias at the width of the last hidden layer.
        slopes: a of each hidden layer, [columns]; a common slope is the first number.
    """

    flat: np.ndarray
    matrices: tuple[np.ndarray, ...]
    outer: np.ndarray
    slopes: tuple[np.ndarray, ...]


class Settings(NamedTuple):
    """What a training does not change.

    Attributes:
        inputs: D, inputs of the first layer with the 1 of the bias.
        widths: neurons of each hidden layer, without padding.
        is_tanh: whether the activation is tanh; otherwise it is ReLU.
        by_neuron: whether each neuron has its own slope.
        trained: how many of the parameters are trained, the first ones.
        has_bias: whether the last layer has a bias.
        scale: n, and factor: fixed factor of the last layer; in the dtype of the parameters.
        recovery: weight of the slope recovery term.
        optimizer: one of OPTIMIZER_CODES.
        momentum: of the optimizer, in the dtype of the parameters.
    """

    inputs: int
    widths: tuple[int, ...]
    is_tanh: bool
    by_neuron: bool
    trained: int
    has_bias: bool
    scale: np.floating
    factor: np.floating
    recovery: float
    optimizer: int
    momentum: np.floating


class Memory(NamedTuple):
    """Working memory.

    Attributes:
        steepness: n a of each hidden layer, [columns].
        plain: M' of each hidden layer, [rows, columns].
        turned: M' transposed, for all layers but the first; the other is not used.
        sums: the gradient with respect to M', the rows padded.
        hidden: h or q of each hidden layer at a block of points, [block, columns].
        changes: f, then the derivative of the mean square with respect to it, at a block, [block].
    """

    steepness: tuple[np.ndarray, ...]
    plain: tuple[np.ndarray, ...]
    turned: tuple[np.ndarray, ...]
    sums: tuple[np.ndarray, ...]
    hidden: tuple[np.ndarray, ...]
    changes: np.ndarray


def make_memory(matrices: tuple[np.ndarray, ...]) -> Memory:
    """Working memory for networks with such matrices M."""
    dtype, columns = matrices[0].dtype, [matrix.shape[1] for matrix in matrices]
    block = max(GROUP, BLOCK_NUMBERS // max(columns) // GROUP * GROUP)
    padded = [-(-len(matrix) // GROUP) * GROUP for matrix in matrices]
    return Memory(
        steepness=tuple(np.empty(each, dtype) for each in columns),
        plain=tuple(np.zeros_like(matrix) for matrix in matrices),
        turned=tuple(np.zeros(matrix.shape[::-1], dtype) for matrix in matrices),
        sums=tuple(np.empty(shape, dtype) for shape in zip(padded, columns, strict=True)),
        hidden=tuple(np.empty((block, each), dtype) for each in columns),
        changes=np.empty(block, dtype),
    )


@compiled
def value(parameters, settings, memory, x, y):
    """The mean square at the points x [n', D], padded, with targets y [n]."""
    absorb(parameters, settings, memory)
    block, loss = len(memory.changes), 0.0
    for first in range(0, len(x), block):
        rows = min(block, len(x) - first)
        _forward(settings, memory, x, first, rows)
        loss += _last_layer(parameters.outer, settings, memory, y, first, rows)
    return loss / len(y)


@compiled
def value_and_gradient(parameters, gradient, settings, memory, x, y):
    """The mean square, as `value`; the gradient includes that of slope recovery."""
    absorb(parameters, settings, memory)
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
def absorb(parameters, settings, memory):
    """Write n a of each neuron, M' = n a M and its transpose."""
    for layer in range(len(parameters.matrices)):
        slope, steepness = parameters.slopes[layer], memory.steepness[layer]
        steepness[:] = settings.scale * (slope if settings.by_neuron else slope[:1])
        plain, turned = memory.plain[layer], memory.turned[layer]
        for j in range(len(plain)):
            row, matrix = plain[j], parameters.matrices[layer][j]
            for k in range(len(row)):
                row[k] = steepness[k] * matrix[k]
        if layer > 0:
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
        memory.sums[layer][:, widths[layer] :] = 0
        of_slopes[:] = 0
        for j in range(len(parameters.matrices[layer])):
            sums, matrix = memory.sums[layer][j], parameters.matrices[layer][j]
            target = gradient.matrices[layer][j]
            for k in range(len(target)):
                of_slopes[k] += settings.scale * matrix[k] * sums[k]
                target[k] = steepness[k] * sums[k]
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
        logged: whether to store the losses before each update, [T]; or [T + 1], also after the last.
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
        block = (parameters.flat, state, 1, 0, last, gradient.flat[:, :last])
        update_block(*block, settings.optimizer, rate, settings.momentum, kind(1 / corrections[1]))
    return -1
