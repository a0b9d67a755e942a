"""Every objective on a GPU against the same training on the CPU, in float64."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from training_tasks import classes, random_problem

from hrta import Schedule, Stage, TwoLayer, convert, train
from hrta.networks.adaptive import AdaptiveNetworks
from hrta.networks.perceptron import Perceptron
from hrta.ntk.extremes import extremal_eigenvalues
from hrta.ntk.finite_width import empirical_gram
from hrta.problems.poisson import make_problem
from hrta.training.engines import torch_engine
from hrta.training.engines.torch_steps import capture_steps
from hrta.training.objectives.deep_ritz import DeepRitz
from hrta.training.objectives.modules import ModuleFit

pytestmark = pytest.mark.gpu
SCHEDULE = Schedule.constant_length([1.0, 1.5], 60)


def two_layer(device, **options):
    networks = TwoLayer.initialise(range(3), 2, 40, torch.float64, device)
    return train(random_problem(20, 2), networks, SCHEDULE, learning_rate=0.01, **options)


def deep_ritz(device, quadrature):
    networks = TwoLayer.initialise(range(3), 2, 30, torch.float64, device)
    objective = DeepRitz(64, quadrature)
    return train(make_problem("cosines"), networks, SCHEDULE, objective=objective)


def adaptive_slopes(device, adaptive):
    networks = AdaptiveNetworks.initialise(
        range(3), 2, [12, 7], adaptive=adaptive, dtype=torch.float64, device=device
    )
    schedule = Schedule([Stage(1.0, 120)])
    return train(random_problem(20, 2), networks, schedule, learning_rate=0.01)


def perceptrons(device, base):
    models = [Perceptron(2, 15, 2, 3, base, seed=seed).double().to(device) for seed in range(3)]
    return train(classes(), models, SCHEDULE, learning_rate=0.01, objective=ModuleFit())


def modules(device):
    models = []
    for seed in range(2):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 9), nn.ReLU(), nn.LayerNorm(9), nn.Linear(9, 1))
        models.append(convert(model.double()).to(device))
    return train(random_problem(20, 2), models, SCHEDULE, objective=ModuleFit())


CASES = {
    "two_layer": (two_layer, "triton"),
    "minibatches": (partial(two_layer, batch_size=7), "triton"),
    "preserved": (partial(two_layer, preserve_function=True), "triton"),
    "fixed_outer": (partial(two_layer, fixed_outer=True, optimizer="nesterov"), "triton"),
    "torch": (partial(two_layer, engine="torch"), "torch"),
    "torch_minibatches": (partial(two_layer, engine="torch", batch_size=7), "torch"),
    "torch_fixed_outer": (partial(two_layer, engine="torch", fixed_outer=True), "torch"),
    "grid": (partial(deep_ritz, quadrature="grid"), "torch"),
    "monte_carlo": (partial(deep_ritz, quadrature="monte_carlo"), "torch"),
    **{each: (partial(adaptive_slopes, adaptive=each), "torch") for each in ("layer", "neuron")},
    **{base: (partial(perceptrons, base=base), "torch") for base in ("relu", "tanh", "gelu")},
    "modules": (modules, "torch"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_training_is_that_of_the_cpu(case, monkeypatch, caplog):
    captured = []

    def capture(*given):
        captured.append(capture_steps(*given))
        return captured[-1]

    # The loop makes pieces of six steps.
    monkeypatch.setattr(torch_engine, "GRAPHED_STEPS", 1)
    monkeypatch.setattr(torch_engine, "capture_steps", capture)
    run, engine = CASES[case]
    expected, trained = run("cpu"), run("cuda")
    assert trained.engine == engine
    assert not caplog.records  # no engine was replaced
    assert len(captured) == (20 if engine == "torch" else 0)
    assert None not in captured
    measures = expected.history.columns.difference(["run", "step", "stage", "s"])
    for name in measures:
        # 120 steps amplify sums in another order.
        np.testing.assert_allclose(
            trained.history[name], expected.history[name], rtol=1e-7, atol=1e-12
        )


@pytest.mark.parametrize("points", [100, 700])
def test_extremal_eigenvalues_are_those_of_the_cpu(points):
    x = np.random.default_rng(0).normal(size=(points, 3))
    s = [0.5, 1.0, 1.5]
    expected, found = extremal_eigenvalues(x, s), extremal_eigenvalues(x, s, "cuda")
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_gram_matrices_of_networks_are_those_of_the_cpu():
    networks = TwoLayer.initialise(range(2), 3, 5000, torch.float64)
    on_gpu = replace(networks, inner=networks.inner.cuda(), outer=networks.outer.cuda())
    x = np.random.default_rng(0).normal(size=(50, 3))
    expected, found = (empirical_gram(x, n.inner, n.outer, 1.5) for n in (networks, on_gpu))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
