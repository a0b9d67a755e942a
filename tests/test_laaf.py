"""Adaptive activations against the formulas and one plain network in torch."""

import numpy as np
import pytest
import torch

from hrta import Problem, laaf
from hrta.targets import make_problem

PROBLEM = make_problem("jump1d", 30, 1)


def networks(adaptive="none", seeds=(0, 1), **options):
    options = {"activation": "tanh", "dtype": torch.float64} | options
    return laaf.DeepNetworks.initialise(seeds, 1, [7, 5], adaptive=adaptive, **options)


@pytest.mark.parametrize("activation", laaf.ACTIVATIONS)
@pytest.mark.parametrize("adaptive", laaf.ADAPTIVE)
def test_at_the_start_it_is_the_plain_network(adaptive, activation):
    start = networks(adaptive, activation=activation, scale=8.0)
    x = torch.tensor(PROBLEM.x)
    for run in range(2):
        hidden = x
        for layer in range(3):
            hidden = hidden @ start.weights[layer][run] + start.biases[layer][run]
            if layer < 2:
                hidden = laaf.ACTIVATIONS[activation](hidden)
        torch.testing.assert_close(start.predict(x)[run], hidden[:, 0], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("adaptive", ["layer", "neuron"])
def test_gradients_are_those_of_differences(adaptive):
    """Central differences of the whole loss, slope recovery included, in float64."""
    start = networks(adaptive, seeds=(3,))
    x, y = torch.tensor(PROBLEM.x), torch.tensor(PROBLEM.y)
    tensors = [*start.weights, *start.biases, *start.slopes]

    def loss(*tensors):
        net = laaf.DeepNetworks(
            list(tensors[:3]), list(tensors[3:6]), list(tensors[6:]), "tanh", adaptive, start.scale
        )
        return ((net.predict(x) - y) ** 2).mean() + 0.5 * net.slope_recovery().sum()

    inputs = [tensor.clone().requires_grad_() for tensor in tensors]
    assert torch.autograd.gradcheck(loss, inputs, rtol=1e-5, atol=1e-7)


def test_slope_recovery_is_the_papers():
    start = networks("neuron")
    for layer, slopes in enumerate(start.slopes):
        slopes += torch.linspace(0, 1 + layer, slopes.shape[2], dtype=torch.float64)
    means = [slopes[0].mean().item() for slopes in start.slopes]
    expected = 1 / np.mean(np.exp(means))
    assert start.slope_recovery()[0].item() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("adaptive", laaf.ADAPTIVE)
def test_training_is_adam_on_each_network_by_itself(adaptive):
    start = networks(adaptive)
    options = {"learning_rate": 0.01, "recovery": 0.3, "log_every": 7}
    history, trained = laaf.train(PROBLEM, start, 20, **options)
    assert history[history["run"] == 0]["step"].tolist() == [0, 7, 14, 20]
    alone, one = laaf.train(PROBLEM, networks(adaptive, seeds=(1,)), 20, **options)
    both = history[history["run"] == 1]["loss"].to_numpy()
    # Batched products may sum in another order than single ones.
    np.testing.assert_allclose(both, alone["loss"], rtol=1e-10)
    torch.testing.assert_close(trained.slopes[0][1], one.slopes[0][0], rtol=1e-8, atol=0)
    assert torch.equal(trained.slopes[0], start.slopes[0]) == (adaptive == "none")
    torch.testing.assert_close(start.slopes[0], torch.full_like(start.slopes[0], 0.1))


def test_slopes_stay_where_they_are_unless_they_are_trained():
    start = networks("none")
    _, trained = laaf.train(PROBLEM, start, 5)
    assert torch.equal(trained.slopes[1], start.slopes[1])
    assert not torch.equal(trained.weights[1], start.weights[1])


def test_observations_are_of_the_networks_at_that_step():
    seen = {}
    x = torch.tensor(PROBLEM.x)
    laaf.train(
        *(PROBLEM, networks(), 9),
        observe=lambda step, nets: seen.update({step: nets.predict(x).clone()}),
        observe_at=[0, 4, 9],
    )
    assert sorted(seen) == [0, 4, 9]
    _, after = laaf.train(PROBLEM, networks(), 4)
    assert torch.equal(seen[4], after.predict(x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "step"}, "unknown activation 'step'; there are"),
        ({"adaptive": "all"}, "unknown adaptive 'all'; there are none, layer, neuron"),
        ({"scale": 0.5}, "scale = 0.5 is below 1"),
        ({"seeds": ()}, "at least one seed"),
    ],
)
def test_networks_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        networks(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps = 0 is not a whole number"),
        ({"learning_rate": -1}, "learning_rate = -1 is not a positive number"),
        ({"recovery": -1}, "recovery = -1 is not a number of at least 0"),
        ({"log_every": 0.5}, "log_every = 0.5 is not a whole number"),
    ],
)
def test_training_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        laaf.train(PROBLEM, networks(), **({"steps": 3} | change))


def test_any_problem_will_do():
    x = np.random.default_rng(0).uniform(size=(20, 3))
    start = laaf.DeepNetworks.initialise([0], 3, [10])
    history, _ = laaf.train(Problem("mine", x, x.sum(axis=1)), start, 200, learning_rate=0.01)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] / 5
