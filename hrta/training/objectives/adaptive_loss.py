"""The loss of adaptive networks and its gradient in closed form, and the torch engine.

A slope can be absorbed into its layer: sigma(n a (h W + b)) is a plain layer with weights n a W and
biases n a b. So the loss is that of a plain network with M' = n a M, M = (W; b), and with G' its
gradient with respect to M'

    dL/dM = n a G',     dL/da = n sum M G'  (over a neuron's weights, or over a layer's)

which is cheap. The derivatives follow from the values of the activations, 1 - h^2 for tanh and
1[h > 0] for ReLU, so only these values are stored.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.training.engines.torch_engine import Function, TorchEngine
from hrta.training.packing import points_and_targets, tested_points
from hrta.training.task import Task

# Elements of the hidden layers in a block of runs: 4 MiB in float32, which fits the cache. With far
# fewer, the calls would cost more than the arithmetic.
BLOCK_ELEMENTS = 2**20
# On a GPU: 2 GiB in float32. The fewer blocks, the fewer kernels are launched.
GPU_BLOCK_ELEMENTS = 2**29
# The tensors of each run start at multiples of this many elements: whole cache lines and whole
# iterations of vectorised loops. So the rounding does not depend on the position of the run.
ALIGNMENT = 32


def make_torch_engine(task: Task, recovery: float) -> TorchEngine:
    """The torch engine for networks with adaptive slopes; recovery is the weight of S(a)."""
    problem, networks = task.problem, task.networks
    like = networks.weights[0]
    test_points = tested_points(problem, like)
    test = test_points and Loss(*test_points, networks)
    points = points_and_targets(problem.x, problem.y, like)
    loss = Loss(*points, networks, recovery, test)
    return TorchEngine(task, loss, loss.layout.pack(networks))


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


@dataclass(frozen=True)
class Layout:
    """The positions of the parameters of R networks in one tensor [R, P].

    Attributes:
        shapes: shape of the matrix of each layer (rows, columns), the bias in the last row.
        slopes: number of slopes of each hidden layer.
    """

    shapes: tuple[tuple[int, int], ...]
    slopes: tuple[int, ...]

    @classmethod
    def of(cls, networks: AdaptiveNetworks) -> "Layout":
        """The layout of networks with these shapes."""
        biases = len(networks.biases)
        shapes = [
            (weight.shape[1] + (layer < biases), weight.shape[2])
            for layer, weight in enumerate(networks.weights)
        ]
        return cls(tuple(shapes), tuple(slope.shape[2] for slope in networks.slopes))

    def split(self, packed: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Views of the matrices [R, rows, columns] and of the slopes [R, 1, 1 or columns]."""
        views, first = [], 0
        for rows, columns in (*self.shapes, *((1, slopes) for slopes in self.slopes)):
            views.append(packed[:, first : first + rows * columns].unflatten(1, (rows, columns)))
            first += _aligned(rows * columns)
        return views[: len(self.shapes)], views[len(self.shapes) :]

    def pack(self, networks: AdaptiveNetworks) -> Tensor:
        """A copy of all parameters in one tensor."""
        parts = (*(math.prod(shape) for shape in self.shapes), *self.slopes)
        packed = networks.weights[0].new_zeros(networks.runs, sum(map(_aligned, parts)))
        matrices, slopes = self.split(packed)
        for layer, weight in enumerate(networks.weights):
            matrices[layer][:, : weight.shape[1]] = weight.detach()
        for matrix, bias in zip(matrices, networks.biases, strict=False):
            matrix[:, -1:] = bias.detach()
        for target, slope in zip(slopes, networks.slopes, strict=True):
            target[:] = slope.detach()
        return packed

    def unpack(self, packed: Tensor, like: AdaptiveNetworks) -> AdaptiveNetworks:
        """Networks with a copy of these parameters, otherwise as `like`."""
        matrices, slopes = self.split(packed)
        inputs = [weight.shape[1] for weight in like.weights]
        split = list(zip(matrices, inputs, strict=True))
        return replace(
            like,
            weights=[matrix[:, :size].clone() for matrix, size in split],
            biases=[matrix[:, size:].clone() for matrix, size in split[: len(like.biases)]],
            slopes=[slope.clone() for slope in slopes],
        )


class Loss(Function):
    """mean_i (f(x_i) - y_i)^2 of R networks; the gradient includes that of recovery S(a).

    Args:
        x: points with a last column of ones, [n, d + 1].
        y: targets, [n].
        networks: shapes and settings of the networks; their weights are not used.
        recovery: weight of S(a).
        test: the loss on the test points, if there are any.

    Attributes:
        layout: the layout of the packed parameters.
    """

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        networks: AdaptiveNetworks,
        recovery: float = 0.0,
        test: "Loss | None" = None,
    ) -> None:
        self.x, self.y, self._test = x, y, test
        self._recovery = 0.0 if networks.adaptive == "none" else recovery
        self.worst = [math.inf] * (2 if test else 1)
        self.layout = Layout.of(networks)
        self._settings = networks
        neurons = sum(columns for _, columns in self.layout.shapes[:-1])
        elements = GPU_BLOCK_ELEMENTS if x.is_cuda else BLOCK_ELEMENTS
        self.block_runs = max(1, elements // (len(x) * neurons))
        self._memory: dict[tuple, Tensor] = {}

    def value(self, parameters: Tensor) -> Tensor:
        """The loss of each run, [R]; parameters packed by `Layout`."""
        blocks = parameters.split(self.block_runs)
        return torch.cat([self._forward(block)[0].square().mean(dim=(1, 2)) for block in blocks])

    def test_measures(self, parameters: Tensor, s: Tensor, sample: None = None) -> list[Tensor]:
        return [self._test.value(parameters)] if self._test else []

    def networks(self, parameters: Tensor) -> AdaptiveNetworks:
        return self.layout.unpack(parameters, self._settings)

    def value_and_gradient(
        self, parameters: Tensor, s: Tensor, gradient: Tensor, sample: None = None
    ) -> Tensor:
        losses = []
        targets = gradient.split(self.block_runs)
        for block, target in zip(parameters.split(self.block_runs), targets, strict=True):
            residual, hidden, plain = self._forward(block)
            losses.append(residual.square().mean(dim=(1, 2)))
            self._backward(block, target, residual, hidden, plain)
        if self._recovery:
            add_recovery(self.layout, parameters, gradient, self._recovery)
        return torch.cat(losses)

    def _forward(self, block: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """f - y [R, 1, n], hidden layers [R, n, m] and matrices M' of a block of runs."""
        matrices, slopes = self.layout.split(block)
        hidden: list[Tensor] = []
        plain: list[Tensor] = []
        for layer, (matrix, slope) in enumerate(zip(matrices[:-1], slopes, strict=True)):
            steep = self._workspace("plain", layer, len(block), *matrix.shape[1:])
            plain.append(torch.mul(matrix, slope * self._settings.scale, out=steep))
            z = self._workspace("hidden", layer, len(block), len(self.x), matrix.shape[2])
            if layer == 0:
                torch.bmm(self.x.expand(len(block), -1, -1), steep, out=z)
            else:
                torch.baddbmm(steep[:, -1:], hidden[-1], steep[:, :-1], out=z)
            hidden.append(_activate(self._settings.activation, z))
        width = hidden[-1].shape[2]
        outer, bias = matrices[-1][:, :width], matrices[-1][:, width:]
        values = self._workspace("values", 0, len(block), 1, len(self.x))
        # Transposed, because products with a single column are slow.
        torch.bmm(outer.transpose(1, 2), hidden[-1].transpose(1, 2), out=values)
        if bias.shape[1]:
            values += bias
        return values.mul_(self._settings.factor).sub_(self.y), hidden, plain

    def _backward(
        self,
        block: Tensor,
        target: Tensor,
        residual: Tensor,
        hidden: list[Tensor],
        plain: list[Tensor],
    ) -> None:
        """Write the gradient of a block to `target`; overwrites the last three arguments."""
        matrices, slopes = self.layout.split(block)
        gradients, slope_gradients = self.layout.split(target)
        width = hidden[-1].shape[2]
        residual.mul_(2 * self._settings.factor / len(self.x))
        torch.bmm(residual, hidden[-1], out=gradients[-1][:, :width].transpose(1, 2))
        if gradients[-1].shape[1] > width:
            torch.sum(residual, dim=2, keepdim=True, out=gradients[-1][:, width:])
        back = _derivative(self._settings.activation, hidden[-1])
        back.mul_(residual.transpose(1, 2)).mul_(matrices[-1][:, :width].transpose(1, 2))
        for layer in reversed(range(len(hidden))):
            gradient = gradients[layer]
            if layer == 0:
                torch.bmm(self.x.T.expand(len(block), -1, -1), back, out=gradient)
            else:
                torch.bmm(hidden[layer - 1].transpose(1, 2), back, out=gradient[:, :-1])
                torch.sum(back, dim=1, keepdim=True, out=gradient[:, -1:])
                below = self._workspace("below", layer, *hidden[layer - 1].shape)
                torch.bmm(back, plain[layer][:, :-1].transpose(1, 2), out=below)
                back = _derivative(self._settings.activation, hidden[layer - 1]).mul_(below)
            if self._settings.adaptive != "none":
                products = torch.mul(matrices[layer], gradient, out=plain[layer])
                over = (1, 2) if self._settings.adaptive == "layer" else (1,)
                torch.sum(products, dim=over, keepdim=True, out=slope_gradients[layer])
                slope_gradients[layer].mul_(self._settings.scale)
            gradient.mul_(slopes[layer] * self._settings.scale)

    def _workspace(self, name: str, layer: int, runs: int, *shape: int) -> Tensor:
        """Memory that is reused at every step: allocation costs more than the arithmetic."""
        size = math.prod(shape)
        key = (name, layer)
        if key not in self._memory or len(self._memory[key]) < runs:
            self._memory[key] = self.x.new_empty(runs, _aligned(size))
        return self._memory[key][:runs, :size].unflatten(1, shape)


def add_recovery(layout: Layout, parameters: Tensor, gradient: Tensor, weight: float) -> None:
    """Add the gradient of weight S(a); see `AdaptiveNetworks.slope_recovery` for S."""
    slopes, targets = layout.split(parameters)[1], layout.split(gradient)[1]
    steepness = [slope.mean(dim=(1, 2), keepdim=True).exp() for slope in slopes]
    recovery = len(slopes) / sum(steepness)
    for steep, target in zip(steepness, targets, strict=True):
        share = weight / (len(slopes) * target.shape[2])
        target.sub_(recovery * recovery * steep * share)


def _activate(activation: str, z: Tensor) -> Tensor:
    """sigma(z) in place; tanh as 2 / (1 + exp(-2z)) - 1, faster, with error one rounding of 1."""
    if activation == "relu":
        return z.clamp_(min=0)
    return z.mul_(2).sigmoid_().mul_(2).sub_(1)


def _derivative(activation: str, value: Tensor) -> Tensor:
    """sigma'(z) from sigma(z), in place; 0 at z = 0 for ReLU, as in torch."""
    if activation == "relu":
        return value.gt_(0)
    return value.square_().neg_().add_(1)
