"""Forward and backward passes of perceptrons, in memory that is reused.

The values h of m neurons at n points are [m, n], with a row of sqrt(m) below. So

    (W; b)^T (h; sqrt(m)) / sqrt(m) = W^T h / sqrt(m) + b

is one product of matrices, and the gradient of (W; b) is another.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hrta.activations import HomotopyActivation
from hrta.networks.perceptron import Perceptron, ScaledLinear
from hrta.training.objectives.activation_rules import RULES

# Memory of a block of runs [bytes]: it fits the cache of a core. With far less, the calls would
# cost more than the arithmetic.
BLOCK_BYTES = 2**21
# On a GPU. The fewer blocks, the fewer kernels are launched.
GPU_BLOCK_BYTES = 2**31


@dataclass(frozen=True)
class Shape:
    """The shape of perceptrons.

    Attributes:
        inputs, width, outputs: number of inputs, of neurons in a hidden layer, of outputs.
        bases: base activation of each hidden layer.
    """

    inputs: int
    width: int
    outputs: int
    bases: tuple[str, ...]

    @classmethod
    def of(cls, model: Perceptron) -> "Shape":
        """The shape of a perceptron."""
        linear = [each for each in model.layers if isinstance(each, ScaledLinear)]
        bases = [each.base for each in model.layers if isinstance(each, HomotopyActivation)]
        first, last = linear[0].weight, linear[-1].weight
        return cls(len(first), len(last), last.shape[1], tuple(bases))

    def split(self, packed: Tensor) -> list[Tensor]:
        """Views of (W; b) of each layer, [R, rows, columns], from parameters [R, P].

        The last layer has no b.
        """
        rows = [self.inputs + 1, *[self.width + 1] * (len(self.bases) - 1)]
        shapes = [*((each, self.width) for each in rows), (self.width, self.outputs)]
        parts = packed.split([math.prod(shape) for shape in shapes], dim=1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, shapes, strict=True)]


class Memory:
    """Memory for the layers of R perceptrons; allocation at each step would take longer than they.

    Args:
        shape: of the perceptrons.
        x: the points, [n, d].
        runs: R.
        backward: whether there are backward passes, which need all layers.

    Attributes:
        points: (x^T; sqrt(d)), [d + 1, n].
        kept: z, or sigma(z), of each layer, [R, m, n].
        hidden: (h; sqrt(m)) of each layer, [R, m + 1, n].
        scratch: two of the shape of `kept`.
        outputs: [R, k, n].
    """

    def __init__(self, shape: Shape, x: Tensor, runs: int, *, backward: bool) -> None:
        layers, kept = len(shape.bases), len(shape.bases) if backward else 1
        size = (runs, shape.width, len(x))
        with_constant = (runs, shape.width + 1, len(x))
        self.points = torch.cat([x.T, x.new_full((1, len(x)), math.sqrt(shape.inputs))])
        self.kept = [x.new_empty(size) for _ in range(kept)] * (layers // kept)
        self.hidden = [x.new_full(with_constant, math.sqrt(shape.width)) for _ in range(kept)]
        self.hidden *= layers // kept
        self.scratch = [x.new_empty(size) for _ in range(2)]
        self.outputs = x.new_empty(runs, shape.outputs, len(x))


class Block:
    """Some runs of an ensemble of perceptrons, on one set of points.

    Args:
        shape: of the perceptrons.
        memory: for these runs or more.
        parameters: those of these runs, [R, P]; the block follows their changes.
        gradient: output of `backward`, [R, P].
    """

    def __init__(
        self, shape: Shape, memory: Memory, parameters: Tensor, gradient: Tensor | None
    ) -> None:
        runs = len(parameters)
        self._rules = [RULES[base] for base in shape.bases]
        *self._matrices, self._outer = shape.split(parameters)
        if gradient is not None:
            *self._gradients, self._outer_gradient = shape.split(gradient)
        points = memory.points.expand(runs, -1, -1)
        self._below = [points, *(each[:runs] for each in memory.hidden)]
        self._hidden = [each[:, : shape.width] for each in self._below[1:]]
        self._kept = [each[:runs] for each in memory.kept]
        self._scratch = [each[:runs] for each in memory.scratch]
        self._outputs = memory.outputs[:runs]
        self._scales = [shape.inputs**-0.5, *[shape.width**-0.5] * len(self._rules)]

    def outputs(self, s: Sequence[float]) -> Tensor:
        """The outputs, [R, k, n], valid until the next call.

        Args:
            s: homotopy parameter of each hidden layer.
        """
        scratch = self._scratch[0]
        for layer, rule in enumerate(self._rules):
            kept = self._kept[layer]
            z = scratch if rule.z_in_scratch else kept
            _product(self._matrices[layer].mT, self._below[layer], scale=self._scales[layer], out=z)
            rule.apply(s[layer], kept, scratch, self._hidden[layer])
        _product(self._outer.mT, self._hidden[-1], scale=self._scales[-1], out=self._outputs)
        return self._outputs

    def backward(self, s: Sequence[float], derivative: Tensor) -> None:
        """Write the gradient.

        Args:
            s: that of the last call of `outputs`.
            derivative: of the loss with respect to the outputs, [R, k, n]; is overwritten.
        """
        back, below = self._scratch
        derivative.mul_(self._scales[-1])
        torch.bmm(derivative, self._hidden[-1].mT, out=self._outer_gradient.mT)
        matrix = self._outer
        for layer in reversed(range(len(self._rules))):
            # Each product has the factor that the next gradient needs.
            _product(matrix, derivative, scale=self._scales[layer], out=back)
            self._rules[layer].pull_back(s[layer], back, self._kept[layer], below)
            torch.bmm(self._below[layer], back.mT, out=self._gradients[layer])
            matrix, derivative = self._matrices[layer][:, :-1], back
            back, below = below, back


def _product(left: Tensor, right: Tensor, *, scale: float, out: Tensor) -> None:
    torch.baddbmm(out, left, right, beta=0, alpha=scale, out=out)


def make_blocks(
    shape: Shape, x: Tensor, parameters: Tensor, gradient: Tensor | None = None
) -> list[Block]:
    """The runs in blocks of equal memory, as `Block` for the parameters and points [n, d]."""
    layers = len(shape.bases) if gradient is not None else 1
    run_bytes = (2 * layers + 1) * shape.width * len(x) * x.element_size()
    block_bytes = GPU_BLOCK_BYTES if x.is_cuda else BLOCK_BYTES
    blocks = min(len(parameters), math.ceil(len(parameters) * run_bytes / block_bytes))
    runs = math.ceil(len(parameters) / blocks)
    memory = Memory(shape, x, runs, backward=gradient is not None)
    if gradient is None:
        return [Block(shape, memory, part, None) for part in parameters.split(runs)]
    parts = zip(parameters.split(runs), gradient.split(runs), strict=True)
    return [Block(shape, memory, *part) for part in parts]
