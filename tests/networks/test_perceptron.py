"""Deep networks against the formula written out, and the two-layer networks."""

import pytest
import torch
from torch.nn import functional

from hrta import TwoLayer
from hrta.networks.perceptron import Perceptron

X = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
# sigma, written by other means than the activations are.
SIGMAS = {
    "relu": lambda z: z.clamp(min=0),
    "relu2": lambda z: z.clamp(min=0) ** 2 / 2,
    "tanh": lambda z: (z.exp() - (-z).exp()) / (z.exp() + (-z).exp()),
    "gelu": lambda z: z * torch.distributions.Normal(0.0, 1.0).cdf(z),
    "silu": lambda z: z / (1 + (-z).exp()),
    "softplus": lambda z: z.exp().log1p(),
    "sine": lambda z: torch.cos(z - torch.pi / 2),
}


@pytest.mark.parametrize("base", SIGMAS)
@pytest.mark.parametrize(("inputs", "hidden", "outputs"), [(1, 1, 1), (3, 2, 1), (2, 3, 4)])
def test_it_is_the_formula(base, inputs, hidden, outputs):
    s, width = 1.3, 6
    network = Perceptron(inputs, width, hidden, outputs, base, seed=2, dtype=torch.float64)
    weights = dict(network.named_parameters())
    assert len(weights) == 2 * hidden + 1
    h = x = torch.randn(5, inputs, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for layer in range(hidden):
        weight, bias = weights[f"layers.{2 * layer}.weight"], weights[f"layers.{2 * layer}.bias"]
        z = torch.einsum("ni,io->no", h, weight) / h.shape[1] ** 0.5 + bias
        h = (1 - s) * z + s * SIGMAS[base](z)
        network.layers[2 * layer + 1].s = s
    expected = torch.einsum("ni,io->no", h, weights[f"layers.{2 * hidden}.weight"]) / width**0.5
    assert expected.shape == (5, outputs)
    # Rounding of exp and of sums of six terms in three layers.
    torch.testing.assert_close(network(x), expected, rtol=1e-12, atol=1e-12)


def test_with_one_hidden_layer_and_one_input_it_is_the_two_layer_network():
    networks = TwoLayer.initialise([7, 8], inputs=1, width=11, dtype=torch.float64)
    for run, seed in enumerate([7, 8]):
        network = Perceptron(1, 11, seed=seed, dtype=torch.float64)
        network.layers[1].s = 1.5
        found = network(X)[:, 0]
        torch.testing.assert_close(found, networks.predict(X, 1.5)[run], rtol=1e-14, atol=1e-14)


def test_with_more_inputs_only_their_weights_are_scaled():
    inner = TwoLayer.initialise([3], inputs=4, width=5).inner[0]
    network = Perceptron(4, 5, seed=3)
    assert torch.equal(network.layers[0].weight, inner[:4])
    assert torch.equal(network.layers[0].bias, inner[4])


def test_a_network_depends_on_its_seed_alone():
    torch.manual_seed(0)
    first = Perceptron(2, 5, 3, seed=4)
    torch.manual_seed(1)
    again, other = Perceptron(2, 5, 3, seed=4), Perceptron(2, 5, 3, seed=5)
    exact = Perceptron(2, 5, 3, seed=4, dtype=torch.float64)
    for name, weight in first.named_parameters():
        assert torch.equal(weight, again.get_parameter(name))
        assert torch.equal(weight, exact.get_parameter(name).float())
        assert not torch.equal(weight, other.get_parameter(name))


def test_weights_and_biases_are_standard_normal():
    network = Perceptron(2, 300, 2, 3, seed=0, dtype=torch.float64)
    drawn = torch.cat([each.detach().flatten() for each in network.parameters()])
    assert len(drawn) == len(drawn.unique()) == 2 * 300 + 300 + 300**2 + 300 + 3 * 300
    # Standard errors are 0.003 and 0.002; the quartile's share has one of 0.0014.
    assert abs(drawn.mean()) < 0.015
    assert abs(drawn.std() - 1) < 0.01
    assert abs((drawn.abs() < 0.6744897501960817).double().mean() - 0.5) < 0.007


def test_s_starts_at_the_activation_itself():
    network = Perceptron(1, 5, dtype=torch.float64)
    z = X @ network.layers[0].weight + network.layers[0].bias
    torch.testing.assert_close(network.layers[1](z), functional.relu(z), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 5), "inputs must be a positive integer; it is 0"),
        ((1, 0), "width must be a positive integer; it is 0"),
        ((1, 5, 0), "hidden must be a positive integer; it is 0"),
        ((1, 5, 1, 0), "outputs must be a positive integer; it is 0"),
        ((1, 5, 1, 1, "step"), "base must be one of relu, relu2, tanh, .*; it is 'step'"),
    ],
)
def test_networks_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Perceptron(*arguments)
