"""Networks of several layers in the NTK parameterisation, with homotopy activations."""

import torch
from torch import Tensor, nn

from hrta.activations import HomotopyActivation
from hrta.networks.initialisation import check_initialisation
from hrta.runtime.arguments import as_integer


class ScaledLinear(nn.Module):
    """z = x W / sqrt(inputs) + b.

    Args:
        weight: W, [inputs, outputs].
        bias: b, [outputs]; None for a layer without bias.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.register_parameter("bias", None if bias is None else nn.Parameter(bias))

    def forward(self, x: Tensor) -> Tensor:
        z = x @ (self.weight * len(self.weight) ** -0.5)
        return z if self.bias is None else z + self.bias


class Perceptron(nn.Module):
    """phi_s(x) = h_L W / sqrt(m), L hidden layers of width m; with L = 1 and d = 1 a `TwoLayer`.

        z_1 = x W_1 / sqrt(d) + b_1,  z_(l+1) = h_l W_(l+1) / sqrt(m) + b_(l+1),  h_l = sigma_s(z_l)

    All weights and biases are independent N(0, 1). They are drawn in float64 on the CPU by a
    generator with the given seed and then rounded, so every dtype starts from the same function.

    Args:
        inputs: d.
        width: m.
        hidden: L, the number of hidden layers.
        outputs: number of values at each point.
        base: name of the activation sigma, a key of `hrta.activations.BASES`.
        seed: of the weights.
        dtype: of the weights.

    Raises:
        ValueError: inputs, width, hidden or outputs that are not positive integers, a seed that is
            not a non-negative integer, a dtype that is not floating, or an unknown base.
        MemoryError: the weights do not fit into memory.

    Source: the NTK parameterisation (Jacot et al., arXiv 1806.07572); assumed for arXiv 2309.15244.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        hidden: int = 1,
        outputs: int = 1,
        base: str = "relu",
        *,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        inputs = as_integer(inputs, "perceptron: inputs")
        width = as_integer(width, "perceptron: width")
        hidden = as_integer(hidden, "perceptron: hidden")
        outputs = as_integer(outputs, "perceptron: outputs")
        weights = (inputs + 1 + (hidden - 1) * (width + 1) + outputs) * width
        number = as_integer(seed, "perceptron: seed", least=0)
        check_initialisation([number], weights, dtype, "cpu", "perceptron")
        rows = [inputs, 1, *[width, 1] * (hidden - 1), outputs]
        generator = torch.Generator().manual_seed(number)
        drawn = torch.randn(sum(rows), width, dtype=torch.float64, generator=generator).to(dtype)
        *inner, outer = drawn.split(rows)
        layers: list[nn.Module] = []
        for weight, bias in zip(inner[::2], inner[1::2], strict=True):
            layers.append(ScaledLinear(weight.clone(), bias[0].clone()))
            layers.append(HomotopyActivation(base=base))
        self.layers = nn.Sequential(*layers, ScaledLinear(outer.T.contiguous()))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
