"""The loop over steps of the numba engine, for one network: loss, gradient, update."""

from collections.abc import Callable

import numpy as np
from numba import types
from numba.extending import overload

from hrta.runtime.compilation import compiled
from hrta.training.kernels import dense, one_dimensional
from hrta.training.kernels.one_dimensional import CHUNK
from hrta.training.kernels.updates import ADAM, BETA1, BETA2, BLOCK, gradient_of_block, update_block


def prepare(x, y, switch, width):
    """Points and memory of a kernel: `Sorted` for x [n], `Dense` for x from `dense.pack`."""
    raise NotImplementedError("compiled code only")


def forward(points, parameters, s, scale):
    """The loss of a network; its residual is stored in points."""
    raise NotImplementedError("compiled code only")


def add_chunk(points, parameters, first, last):
    """The part of a forward pass that a chunk of neurons does without the others."""
    raise NotImplementedError("compiled code only")


def complete(points, parameters, s, scale):
    """The rest of a forward pass, after all chunks; returns the same as `forward`."""
    raise NotImplementedError("compiled code only")


def backward(points, scale, linear):
    """Prepare the sums over active points, and write linear_j = sum_i rho_ij."""
    raise NotImplementedError("compiled code only")


def sums_of_block(points, parameters, first, last, sums):
    """Write the sums over active points for a block of neurons."""
    raise NotImplementedError("compiled code only")


def batch_memory(points, size, width):
    """Points of the same type, with memory for a batch, for `forward_batch` and `backward`."""
    raise NotImplementedError("compiled code only")


def forward_batch(points, batch_points, batch, parameters, s, scale):
    """As `complete`, for the points of a batch, [b] indices; returns the loss of the batch."""
    raise NotImplementedError("compiled code only")


@overload(prepare)
def _prepare(x, y, switch, width) -> Callable:
    if x.ndim == 1:
        pair = np.complex64 if x.dtype == types.float32 else np.complex128
        return lambda x, y, switch, width: one_dimensional.prepare(x, y, switch, pair)
    return lambda x, y, switch, width: dense.prepare(x, y, width)


def _kernel(points):
    """The module of the kernel for a type of points."""
    return {one_dimensional.Sorted: one_dimensional, dense.Dense: dense}[points.instance_class]


@overload(forward)
def _forward(points, parameters, s, scale) -> Callable:
    kernel = _kernel(points).forward
    return lambda points, parameters, s, scale: kernel(points, parameters, s, scale)


@overload(add_chunk)
def _add_chunk(points, parameters, first, last) -> Callable:
    kernel = _kernel(points).add_chunk
    return lambda points, parameters, first, last: kernel(points, parameters, first, last)


@overload(complete)
def _complete(points, parameters, s, scale) -> Callable:
    kernel = _kernel(points).complete
    return lambda points, parameters, s, scale: kernel(points, parameters, s, scale)


@overload(batch_memory)
def _batch_memory(points, size, width) -> Callable:
    kernel = _kernel(points).batch_memory
    return lambda points, size, width: kernel(points, size, width)


@overload(forward_batch)
def _forward_batch(points, batch_points, batch, parameters, s, scale) -> Callable:
    kernel = _kernel(points).forward_batch
    return lambda points, batch_points, batch, parameters, s, scale: kernel(
        points, batch_points, batch, parameters, s, scale
    )


@overload(backward)
def _backward(points, scale, linear) -> Callable:
    kernel = _kernel(points).backward
    return lambda points, scale, linear: kernel(points, scale, linear)


@overload(sums_of_block)
def _sums_of_block(points, parameters, first, last, sums) -> Callable:
    kernel = _kernel(points).sums_of_block
    return lambda points, parameters, first, last, sums: kernel(
        points, parameters, first, last, sums
    )


@compiled
def advance(
    data,
    switches,
    parameters,
    state,
    corrections,
    s,
    scale,
    optimizer,
    momentum,
    fixed_outer,
    batches,
    rates,
    logged,
    losses,
):
    """T updates of one network.

    Args:
        data: x, y, test x and test y in the layout of `prepare`; the test points may be empty.
        switches: the caller keeps it between calls, [2, M] int32; initially 0.
        parameters: [D + 1, M], updated.
        state: state of the optimizer, [state size, D + 1, M], updated.
        corrections: of Adam's two moments, 1 - beta^t, [2] float64, updated.
        s, momentum, scale: in the dtype of the parameters; scale is 1/sqrt(m).
        optimizer: one of OPTIMIZER_CODES.
        fixed_outer: whether the outer weights are fixed.
        batches: the points of each update, [T, b]; b = 0 for full batches.
        rates: learning rate of each update, [T] float64.
        logged: whether to store the losses before each update, [T].
        losses: output, loss and test loss, [2, logged steps]; infinite after divergence.

    Returns:
        The number of updates before the loss was non-finite, or -1.
    """
    kind = parameters.dtype.type
    rows, width = parameters.shape
    points = prepare(data[0], data[1], switches[0], width)
    test = prepare(data[2], data[3], switches[1], width)
    linear = np.empty(rows - 1, parameters.dtype)
    sums = np.empty((rows + 2, BLOCK), parameters.dtype)
    gradient = np.empty((rows, BLOCK), parameters.dtype)
    whole = batches.shape[1] == 0
    seen = points if whole else batch_memory(points, batches.shape[1], width)
    moving = rows - 1 if fixed_outer else rows
    row, rate, debias = 0, kind(0), kind(0)
    # The first iteration only begins a forward pass. It is part of the loop, so that the code of
    # `add_chunk` is compiled once and results do not depend on where a call begins.
    for step in range(-1, len(rates)):
        if step >= 0:
            loss = 0.0
            if whole or logged[step]:
                loss = complete(points, parameters, s, scale)
            if logged[step] and abs(loss) < np.inf:
                losses[0, row] = loss
                if len(test.y):
                    losses[1, row] = forward(test, parameters, s, scale)
                row += 1
            if not whole:
                loss += forward_batch(points, seen, batches[step], parameters, s, scale)
            # Not np.isfinite: it computes loss - loss, which reassociation may make 0 for NaN.
            if not abs(loss) < np.inf:
                losses[:, row:] = np.inf
                return step
            backward(seen, scale, linear)
            linear *= kind(1 - s)
            corrections[0] = BETA1 * corrections[0] + (1 - BETA1)
            corrections[1] = BETA2 * corrections[1] + (1 - BETA2)
            rate = kind(rates[step] / corrections[0] if optimizer == ADAM else rates[step])
            debias = kind(1 / corrections[1])
        for begin in range(0, width, CHUNK):
            end = min(begin + CHUNK, width)
            if step >= 0:
                for first in range(begin, end, BLOCK):
                    last = min(first + BLOCK, end)
                    sums_of_block(seen, parameters, first, last, sums)
                    gradient_of_block(parameters, first, last, sums, linear, s, gradient)
                    update_block(
                        *(parameters, state, moving, first, last, gradient),
                        *(optimizer, rate, momentum, debias),
                    )
            add_chunk(points, parameters, begin, end)
    return -1


@compiled
def measure(data, switches, parameters, s, scale):
    """The loss and test loss of one network; arguments as in `advance`."""
    width = parameters.shape[1]
    loss = forward(prepare(data[0], data[1], switches[0], width), parameters, s, scale)
    if len(data[3]) == 0:
        return loss, np.nan
    return loss, forward(prepare(data[2], data[3], switches[1], width), parameters, s, scale)
