"""Adaptive networks against the formulas and one plain network in torch."""

import numpy as np
import pytest
import torch
from adaptive_examples import PROBLEM, networks, two_layer

from hrta.networks.adaptive import ACTIVATIONS, ADAPTIVE


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("adaptive", ADAPTIVE)
def test_at_the_start_it_is_the_plain_network(adaptive, activation):
    start = networks(adaptive, activation=activation, scale=8.0)
    x = torch.tensor(PROBLEM.x)
    for run in range(2):
        hidden = x
        for layer in range(3):
            hidden = hidden @ start.weights[layer][run] + start.biases[layer][run]
            if layer < 2:
                hidden = ACTIVATIONS[activation](hidden)
        torch.testing.assert_close(start.predict(x)[run], hidden[:, 0], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("adaptive", ADAPTIVE)
def test_of_two_layer_is_the_two_layer_network(adaptive):
    start, adapted = two_layer("relu", adaptive)
    x = torch.tensor(PROBLEM.x)
    torch.testing.assert_close(adapted.predict(x), start.predict(x, 1), rtol=1e-14, atol=1e-14)
    _, curved = two_layer("tanh", adaptive)
    hidden = torch.tanh(x * start.inner[2, 0] + start.inner[2, 1])
    expected = hidden @ start.outer[2] / 11**0.5
    torch.testing.assert_close(curved.predict(x)[2], expected, rtol=1e-13, atol=1e-13)


def test_of_two_layer_shares_no_memory():
    start, adapted = two_layer("relu", "layer")
    before = start.inner.clone()
    adapted.weights[0].zero_()
    assert torch.equal(start.inner, before)


def test_slope_recovery_is_the_papers():
    start = networks("neuron")
    for layer, slopes in enumerate(start.slopes):
        slopes += torch.linspace(0, 1 + layer, slopes.shape[2], dtype=torch.float64)
    means = [slopes[0].mean().item() for slopes in start.slopes]
    expected = 1 / np.mean(np.exp(means))
    assert start.slope_recovery()[0].item() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "step"}, "activation must be one of tanh, relu; it is 'step'"),
        ({"adaptive": "all"}, "adaptive must be one of none, layer, neuron; it is 'all'"),
        ({"scale": 0.5}, "scale must be a number of at least 1; it is 0.5"),
        ({"seeds": ()}, "seeds must be several integers"),
    ],
)
def test_networks_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        networks(**change)
