"""Networks with locally adaptive activations: each activation has a trainable slope.

Source: A. Jagtap, K. Kawaguchi and G. Karniadakis, Locally adaptive activation functions with slope
recovery for deep and physics-informed neural networks, Proc. R. Soc. A 476:20200334 (2020),
arXiv 1909.12228.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Any

import torch
from torch import Tensor

from hrta.networks.initialisation import check_initialisation
from hrta.networks.two_layer import TwoLayer
from hrta.runtime.arguments import as_integer, as_number, check_one_of, check_type, shown
from hrta.runtime.tensors import as_real_tensor

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}
# Trainable slopes: none (a plain network), one for each layer (L-LAAF) or neuron (N-LAAF).
ADAPTIVE = ("none", "layer", "neuron")


@dataclass(frozen=True, eq=False)
class AdaptiveNetworks:
    """R networks of hidden layers h_l = sigma(n a_l (h_(l-1) W_l + b_l)) and a linear last layer.

    Attributes:
        weights: [R, in, out] for each layer.
        biases: [R, 1, out] for each layer; the last layer may have none.
        slopes: a for each hidden layer, [R, 1, 1] or [R, 1, out]; n a = 1 at initialisation.
        activation: tanh or relu.
        adaptive: none, layer or neuron; with none the slopes are not trained.
        scale: n.
        factor: fixed factor of the last layer.
    """

    weights: list[Tensor]
    biases: list[Tensor]
    slopes: list[Tensor]
    activation: str
    adaptive: str
    scale: float
    factor: float = 1.0

    @classmethod
    def initialise(
        cls,
        seeds: Sequence[int],
        inputs: int,
        hidden: Sequence[int],
        activation: str = "tanh",
        adaptive: str = "none",
        scale: float = 10.0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> "AdaptiveNetworks":
        """One network per seed: weights N(0, 2 / (in + out)), biases 0, and n a = 1.

        The weights depend on the seed alone, not on `adaptive`. They are drawn in float64 on the
        CPU, then rounded and moved to the device.

        Raises:
            ValueError: an unknown activation or kind of slope (the message lists the allowed ones),
                a scale that is not a number of at least 1, no hidden layer, inputs or neurons of a
                layer that are not positive integers; and as `TwoLayer.initialise`.
            MemoryError: the weights do not fit into memory.
        """
        _check(activation, adaptive, scale)
        layers: Any = hidden
        if isinstance(layers, str) or not isinstance(layers, Sequence) or not layers:
            raise ValueError(
                "networks: hidden must be the numbers of neurons of one or more layers; it is "
                f"{shown(hidden)}"
            )
        neurons = [as_integer(each, "networks: each of hidden") for each in hidden]
        sizes = [as_integer(inputs, "networks: inputs"), *neurons, 1]
        weights_each = sum(before * after for before, after in pairwise(sizes))
        numbers = check_initialisation(seeds, weights_each, dtype, device)
        generators = [torch.Generator().manual_seed(seed) for seed in numbers]
        weights = []
        for before, after in pairwise(sizes):
            drawn = [
                torch.randn(before, after, dtype=torch.float64, generator=generator)
                for generator in generators
            ]
            weights.append((torch.stack(drawn) * (2 / (before + after)) ** 0.5).to(device, dtype))
        biases = [weight.new_zeros(len(seeds), 1, weight.shape[2]) for weight in weights]
        slopes = [_first_slopes(weight, adaptive, scale) for weight in weights[:-1]]
        return cls(weights, biases, slopes, activation, adaptive, float(scale))

    @classmethod
    def of_two_layer(
        cls,
        networks: TwoLayer,
        activation: str = "relu",
        adaptive: str = "layer",
        scale: float = 10.0,
    ) -> "AdaptiveNetworks":
        """phi(x) = 1/sqrt(m) sum_k a_k sigma(n c_k w_k . (x, 1)) with the given w and a, n c = 1.

        One hidden layer with a bias, no bias at the output. w, a and the slopes c are trained;
        1/sqrt(m) is a fixed factor. With ReLU it starts as the same function as `networks` at
        s = 1.

        Args:
            networks: inner and outer weights, left untouched.
            activation, adaptive, scale: as for `initialise`.

        Raises:
            ValueError: as `initialise`.
        """
        check_type(networks, TwoLayer, "networks: networks")
        _check(activation, adaptive, scale)
        inner, outer = networks.inner.detach().clone(), networks.outer.detach().clone()
        return cls(
            weights=[inner[:, :-1], outer[:, :, None]],
            biases=[inner[:, -1:]],
            slopes=[_first_slopes(inner, adaptive, scale)],
            activation=activation,
            adaptive=adaptive,
            scale=float(scale),
            factor=networks.width**-0.5,
        )

    @property
    def runs(self) -> int:
        """R, the number of networks."""
        return len(self.weights[0])

    @property
    def inputs(self) -> int:
        """d, the number of input variables."""
        return self.weights[0].shape[1]

    def predict(self, x: Tensor) -> Tensor:
        """The values of the networks at the points x [n, d]; returns [R, n].

        Raises:
            ValueError: x is not [n, d].
        """
        x = as_real_tensor(x, "networks: x").to(self.weights[0])
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise ValueError(
                f"networks: x must be [n, {self.inputs}]; its shape is {list(x.shape)}"
            )
        sigma = ACTIVATIONS[self.activation]
        hidden = x.expand(self.runs, *x.shape)
        for weight, bias, slope in zip(self.weights[:-1], self.biases, self.slopes, strict=False):
            hidden = sigma(self.scale * slope * torch.baddbmm(bias, hidden, weight))
        last = torch.bmm(hidden, self.weights[-1])
        if len(self.biases) == len(self.weights):
            last = last + self.biases[-1]
        return self.factor * last.squeeze(-1)

    def slope_recovery(self) -> Tensor:
        """S(a) = 1 / mean over hidden layers of exp(mean a of the layer), [R]."""
        means = torch.stack([slope.mean(dim=(1, 2)) for slope in self.slopes])
        return 1 / means.exp().mean(dim=0)


def _first_slopes(weight: Tensor, adaptive: str, scale: float) -> Tensor:
    """The initial slopes, n a = 1, of a layer with weights [R, in, out]."""
    return weight.new_full(
        (len(weight), 1, weight.shape[2] if adaptive == "neuron" else 1), 1 / scale
    )


def _check(activation: str, adaptive: str, scale: float) -> None:
    check_one_of(activation, ACTIVATIONS, "networks: activation")
    check_one_of(adaptive, ADAPTIVE, "networks: adaptive")
    if not 1 <= as_number(scale) < inf:
        raise ValueError(f"networks: scale must be a number of at least 1; it is {shown(scale)}")
