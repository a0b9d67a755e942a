"""The closed form for perceptrons against automatic differentiation."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn
from training_tasks import classes

from hrta import HomotopyActivation, Problem
from hrta.activations import BASES
from hrta.networks.perceptron import Perceptron
from hrta.training.objectives import perceptron_pass
from hrta.training.objectives.module_ensemble import ModuleEnsemble
from hrta.training.objectives.perceptron_ensemble import PerceptronEnsemble, is_plain_perceptron

# In float64: sums of a few dozen products, in another order.
CLOSE = {"rtol": 1e-11, "atol": 1e-14}


def evaluate(ensemble, s):
    """Loss, gradient and measures at the initial parameters."""
    parameters = ensemble.parameters
    gradient = torch.full_like(parameters, torch.nan)
    with torch.inference_mode():
        s = ensemble.prepare_s(np.tile(s, (len(parameters), 1)), parameters)
        losses = ensemble.value_and_gradient(parameters, s, gradient)
        return [losses, gradient, *ensemble.test_measures(parameters, s)]


@pytest.mark.parametrize("block_bytes", [1, 2000, 2**21])
@pytest.mark.parametrize("of_classes", [False, True], ids=["number", "classes"])
@pytest.mark.parametrize(("base", "hidden"), [*product(BASES, [1, 3]), ("relu", 2)])
def test_it_is_automatic_differentiation(
    small_problem, base, hidden, of_classes, block_bytes, monkeypatch
):
    monkeypatch.setattr(perceptron_pass, "BLOCK_BYTES", block_bytes)
    problem = classes() if of_classes else small_problem
    sizes = (problem.inputs, 6, hidden, problem.classes or 1)
    models = [Perceptron(*sizes, base, seed=seed, dtype=torch.float64) for seed in range(5)]
    ensembles = [each(problem, models) for each in (ModuleEnsemble, PerceptronEnsemble)]
    assert torch.equal(ensembles[0].parameters, ensembles[1].parameters)
    assert ensembles[0].worst == ensembles[1].worst
    for s in (np.linspace(0.5, 1.5, hidden), np.full(hidden, 2.0)):
        expected, found = (evaluate(each, s) for each in ensembles)
        assert len(found) == 3 + of_classes
        for here, there in zip(found, expected, strict=True):
            torch.testing.assert_close(here, there, **CLOSE)


def test_it_follows_the_parameters_and_gradient_that_it_is_given(small_problem):
    models = [Perceptron(2, 6, 2, seed=seed, dtype=torch.float64) for seed in range(5)]
    ensemble = PerceptronEnsemble(small_problem, models)
    s = ensemble.prepare_s(np.ones((5, 2)), ensemble.parameters)
    first, second = (torch.empty_like(ensemble.parameters) for _ in range(2))
    losses = ensemble.value_and_gradient(ensemble.parameters, s, first)
    part = ensemble.value_and_gradient(ensemble.parameters[1:3].clone(), s, second[1:3])
    torch.testing.assert_close(part, losses[1:3], **CLOSE)
    torch.testing.assert_close(second[1:3], first[1:3], **CLOSE)
    ensemble.parameters.mul_(2)
    changed = ensemble.value_and_gradient(ensemble.parameters, s, first)
    twice = ensemble.value_and_gradient(ensemble.parameters.clone(), s, second)
    assert torch.equal(changed, twice)
    assert not torch.isclose(changed, losses).any()


def test_a_model_without_test_points_has_the_loss_only(small_problem):
    problem = Problem("mine", small_problem.x, small_problem.y)
    ensemble = PerceptronEnsemble(problem, [Perceptron(2, 6, dtype=torch.float64)])
    assert len(evaluate(ensemble, np.ones(1))) == 2
    assert ensemble.worst == [np.inf]


class Other(Perceptron):
    """A perceptron with another forward pass."""

    def forward(self, x):
        return 2 * super().forward(x)


def changed(change):
    model = Perceptron(2, 6, 2)
    change(model)
    return model


CHANGES = {
    "frozen": lambda model: model.layers[0].requires_grad_(False),
    "without bias": lambda model: model.layers[2].register_parameter("bias", None),
    "shared": lambda model: setattr(model.layers[2], "bias", model.layers[0].bias),
    "linear": lambda model: model.layers.__setitem__(2, nn.Linear(6, 6)),
    "other activation": lambda model: model.layers.__setitem__(1, nn.Tanh()),
    "longer": lambda model: model.layers.append(HomotopyActivation()),
    "empty": lambda model: model.layers.__delitem__(slice(None)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_perceptron_is_not_a_plain_one(change):
    assert not is_plain_perceptron(changed(change))


def test_a_perceptron_is_a_plain_one_and_a_subclass_is_not():
    for base, hidden, outputs in product(BASES, [1, 3], [1, 10]):
        assert is_plain_perceptron(Perceptron(2, 6, hidden, outputs, base, seed=4))
    assert not is_plain_perceptron(Other(2, 6))
    assert not is_plain_perceptron(nn.Sequential(nn.Linear(2, 6), HomotopyActivation()))
