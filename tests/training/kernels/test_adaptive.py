"""Loss and gradient of one adaptive network against automatic differentiation, in float64."""

from itertools import product

import numpy as np
import pytest
import torch
from adaptive_examples import bent

from hrta import Problem, Schedule, Stage, TwoLayer
from hrta.networks.adaptive import ACTIVATIONS, ADAPTIVE, AdaptiveNetworks
from hrta.training.engines.adaptive_engine import AdaptiveEngine
from hrta.training.kernels import adaptive, adaptive_arrays
from hrta.training.task import Task

KINDS = list(product(ACTIVATIONS, ADAPTIVE))


def networks_of(inputs, hidden, activation, adaptive, has_bias):
    if not has_bias:
        start = TwoLayer.initialise([3], inputs, hidden[0], dtype=torch.float64)
        return bent(AdaptiveNetworks.of_two_layer(start, activation, adaptive))
    start = AdaptiveNetworks.initialise(
        [3], inputs, hidden, activation, adaptive, dtype=torch.float64
    )
    return bent(start)


def compare(problem, start, recovery):
    """Loss and gradient of the kernel and of torch."""
    schedules = [Schedule([Stage(1.0, 1)])]
    engine = AdaptiveEngine(Task(problem, start, schedules), recovery)
    parameters = engine._views(engine.state.parameters[0])
    gradient = engine._views(np.zeros_like(parameters.flat))
    memory = adaptive_arrays.make_memory(parameters.matrices)
    arguments = engine._settings, memory, *engine._data
    loss = adaptive.value_and_gradient(parameters, gradient, *arguments)
    assert loss == adaptive.value(parameters, *arguments)
    values = start.predict(torch.tensor(problem.x))[0]
    expected = ((values - torch.tensor(problem.y)) ** 2).mean()
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    if start.adaptive == "none":
        recovery = 0
    (expected + recovery * start.slope_recovery()[0]).backward()
    found = engine._layout.unpack(gradient.flat[None], start)
    pairs = [(found.weights, start.weights), (found.biases, start.biases)]
    if start.adaptive != "none":
        pairs.append((found.slopes, start.slopes))
    for ours, theirs in pairs:
        for mine, tensor in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, tensor.grad, rtol=1e-11, atol=1e-13)
    return gradient, found


@pytest.mark.parametrize(("activation", "adaptive"), KINDS)
@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 10])
@pytest.mark.parametrize(
    ("points", "hidden", "has_bias"),
    [(1, [1], True), (30, [7], False), (41, [64], True), (150, [100], False), (230, [9, 70], True)],
)
def test_the_gradient_is_that_of_differentiation(
    points, inputs, hidden, has_bias, activation, adaptive
):
    random = np.random.default_rng(points)
    x = random.normal(size=(points, inputs))
    start = networks_of(inputs, hidden, activation, adaptive, has_bias)
    compare(Problem("mine", x, np.cos(x.sum(axis=1))), start, 0.7)


def test_more_layers_in_several_blocks_of_points():
    x = np.linspace(-1, 1, 300)[:, None]
    start = networks_of(1, [50, 50, 20, 50], "tanh", "neuron", True)
    blocks = 300 // (adaptive_arrays.BLOCK_NUMBERS // (3 * 56 + 24))
    assert blocks > 3
    compare(Problem("mine", x, np.sign(x[:, 0])), start, 1.0)


@pytest.mark.parametrize(("activation", "adaptive"), KINDS)
def test_padding_has_no_gradient(activation, adaptive):
    """All that is not in the unpacked networks stays 0."""
    x = np.random.default_rng(0).normal(size=(21, 2))
    start = networks_of(2, [5, 6], activation, adaptive, True)
    gradient, found = compare(Problem("mine", x, x[:, 0]), start, 0.5)
    tensors = (*found.weights, *found.biases, *found.slopes)
    assert np.count_nonzero(gradient.flat) <= sum(tensor.numel() for tensor in tensors)
    assert np.abs(gradient.flat).sum() == pytest.approx(
        sum(tensor.abs().sum().item() for tensor in tensors), rel=1e-12
    )
