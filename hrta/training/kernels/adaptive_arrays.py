"""The arrays of `hrta.training.kernels.adaptive`.

Layers are padded with neurons without weights, so that columns are whole vectors, with at least one
such neuron, whose place in h has the 1 for the bias of the next layer.
"""

from typing import NamedTuple

import numpy as np

from hrta.training.kernels.vectors import GROUP

# Numbers in the hidden layers of a block of points: 32 KiB in float32.
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
        turned: M' transposed, [columns, columns of the layer before]; empty for the first layer.
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
    block = max(GROUP, BLOCK_NUMBERS // sum(columns) // GROUP * GROUP)
    before = [0, *columns[:-1]]
    padded = [-(-len(matrix) // GROUP) * GROUP for matrix in matrices]
    return Memory(
        steepness=tuple(np.empty(each, dtype) for each in columns),
        plain=tuple(np.zeros_like(matrix) for matrix in matrices),
        turned=tuple(np.zeros(shape, dtype) for shape in zip(columns, before, strict=True)),
        sums=tuple(np.empty(shape, dtype) for shape in zip(padded, columns, strict=True)),
        hidden=tuple(np.empty((block, each), dtype) for each in columns),
        changes=np.empty(block, dtype),
    )
