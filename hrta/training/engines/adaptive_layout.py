"""The layout of adaptive networks for `hrta.training.kernels.adaptive`."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.training.kernels.vectors import VECTOR_BYTES


@dataclass(frozen=True)
class PaddedLayout:
    """The positions of the parameters of R networks in one tensor [R, 1, P], padded with zeros.

    Attributes:
        inputs: d.
        widths: neurons of each hidden layer.
        lanes: the padded columns of a layer are a multiple of this.
    """

    inputs: int
    widths: tuple[int, ...]
    lanes: int

    @classmethod
    def of(cls, networks: AdaptiveNetworks) -> "PaddedLayout":
        """The layout of networks with these shapes and this dtype."""
        widths = tuple(weight.shape[2] for weight in networks.weights[:-1])
        return cls(networks.inputs, widths, VECTOR_BYTES // networks.weights[0].itemsize)

    @property
    def columns(self) -> tuple[int, ...]:
        """The padded columns of each hidden layer, at least one more than it has neurons."""
        return tuple((width // self.lanes + 1) * self.lanes for width in self.widths)

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of matrices (the bias in the last row), outer weights and slopes."""
        rows = [self.inputs + 1, *(width + 1 for width in self.widths[:-1])]
        matrices = zip(rows, self.columns, strict=True)
        return [*matrices, self.columns[-1:], *((columns,) for columns in self.columns)]

    @property
    def first_slope(self) -> int:
        """The position of the first slope."""
        return sum(math.prod(shape) for shape in self.shapes[: -len(self.widths)])

    @property
    def size(self) -> int:
        """P, the number of all parameters with padding."""
        return sum(math.prod(shape) for shape in self.shapes)

    def split(self, packed: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, list[np.ndarray]]:
        """Views of the matrices [R, rows, columns], outer weights and slopes [R, columns].

        The bias of the last layer is behind its weights. `packed` is [R, P].
        """
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])
        parts = np.split(packed, ends[:-1], axis=1)
        views = [
            part.reshape(len(packed), *shape)
            for part, shape in zip(parts, self.shapes, strict=True)
        ]
        depth = len(self.widths)
        return views[:depth], views[depth], views[depth + 1 :]

    def pack(self, networks: AdaptiveNetworks) -> Tensor:
        """A copy of all parameters in one tensor."""
        packed = networks.weights[0].detach().new_zeros(networks.runs, 1, self.size)
        matrices, outer, slopes = self.split(packed[:, 0].numpy())
        for matrix, layer in zip([*matrices, outer[..., None]], _layers(networks), strict=True):
            matrix[:, : layer.shape[1], : layer.shape[2]] = layer
        for target, slope in zip(slopes, networks.slopes, strict=True):
            target[:, : slope.shape[2]] = slope[:, 0].detach()
        return packed

    def unpack(self, packed: np.ndarray, like: AdaptiveNetworks) -> AdaptiveNetworks:
        """Networks with a copy of these parameters, otherwise as `like`."""
        matrices, outer, slopes = self.split(packed[:, 0])
        tensors = [torch.tensor(each) for each in (*matrices, outer[..., None])]
        inputs = [weight.shape[1:] for weight in like.weights]
        split = list(zip(tensors, inputs, strict=True))
        return replace(
            like,
            weights=[each[:, :rows, :columns].clone() for each, (rows, columns) in split],
            biases=[
                each[:, rows : rows + 1, :columns].clone()
                for each, (rows, columns) in split[: len(like.biases)]
            ],
            slopes=[
                torch.tensor(each[:, None, : slope.shape[2]])
                for each, slope in zip(slopes, like.slopes, strict=True)
            ],
        )


def _layers(networks: AdaptiveNetworks) -> list[Tensor]:
    """The weights of each layer, the bias, if there is one, in the last row."""
    biases = [*networks.biases, *[None] * (len(networks.weights) - len(networks.biases))]
    return [
        weight.detach() if bias is None else torch.cat([weight, bias], dim=1).detach()
        for weight, bias in zip(networks.weights, biases, strict=True)
    ]
