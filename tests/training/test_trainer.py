"""Which objective is picked, and an objective of one's own."""

from dataclasses import dataclass
from math import inf

import numpy as np
import pandas as pd
import pytest
import torch

from hrta import Schedule, Stage, TwoLayer, train
from hrta.networks.adaptive import AdaptiveNetworks
from hrta.networks.perceptron import Perceptron
from hrta.problems import poisson
from hrta.problems.targets import make_problem
from hrta.training import AdaptiveSlopes, DeepRitz, ModuleFit, TwoLayerRegression
from hrta.training.engines.torch_engine import Function, TorchEngine
from hrta.training.objectives.objective import Objective
from hrta.training.trainer import choose_objective

SINE = make_problem("sine1d", 10, 5)
NETWORKS = TwoLayer.initialise(range(2), 1, 5)
PICKED = [
    (SINE, NETWORKS, TwoLayerRegression),
    (poisson.make_problem("cosines"), TwoLayer.initialise([0], 2, 5), DeepRitz),
    (SINE, AdaptiveNetworks.of_two_layer(NETWORKS), AdaptiveSlopes),
    (SINE, [Perceptron(1, 5), Perceptron(1, 5)], ModuleFit),
]


@pytest.mark.parametrize(("problem", "networks", "objective"), PICKED)
def test_the_objective_follows_from_problem_and_networks(problem, networks, objective):
    assert choose_objective(problem, networks) == objective()
    trained = train(problem, networks, Schedule([Stage(1.0, 3)]))
    assert type(trained.networks) is type(networks)
    assert trained.history.columns[:5].tolist() == ["run", "step", "stage", "s", "loss"]
    assert trained.diverged == {}
    assert (trained.skip is None) == (objective is not TwoLayerRegression)


@dataclass(frozen=True)
class Target:
    """A point to get to."""

    place: torch.Tensor
    inputs: int = 2


@dataclass(frozen=True, eq=False)
class Places:
    """Where the runs are, [R, 2]."""

    at: torch.Tensor

    @property
    def runs(self):
        return len(self.at)


class Distance(Function):
    """s |theta - target|^2 of each run, and |theta| beside it."""

    worst = (inf, inf)

    def __init__(self, target):
        self.target = target

    def value_and_gradient(self, parameters, s, gradient, sample):
        difference = parameters - self.target
        torch.mul(difference, 2 * s[:, None], out=gradient)
        return s * difference.square().sum(1)

    def test_measures(self, parameters, s, sample):
        return [parameters.norm(dim=1)]

    def networks(self, parameters):
        return Places(parameters.clone())


class Approach(Objective):
    """An objective of one's own."""

    name = "approach"
    problem_type, networks_type = Target, Places
    accepts = frozenset({"optimizer", "plateau"})

    def make_engine(self, task):
        return TorchEngine(task, Distance(task.problem.place), task.networks.at.clone())

    def identity(self, task):
        return {"target": task.problem.place.tolist()}

    def columns(self, task, measured):
        return {"loss": measured[0], "norm": measured[1]}


def test_a_new_problem_is_an_objective_and_nothing_else(tmp_path):
    target, start = Target(torch.tensor([1.0, 2.0])), Places(torch.zeros(3, 2))
    schedules = [Schedule([Stage(1.0, 20), Stage(s, 20)]) for s in (1.0, 0.5, 0.5)]
    given = (target, start, schedules, "gradient_descent", [0.1, 0.1, 1e30])
    trained = train(*given, objective=Approach())
    losses = trained.history.pivot(index="step", columns="run", values="loss")
    shrinks = np.where(np.arange(40) < 20, 0.8**2, 0.9**2)
    expected = 5 * np.cumprod(np.append(1, shrinks)) * np.where(np.arange(41) < 20, 1, 0.5)
    np.testing.assert_allclose(losses[1], expected, rtol=1e-4)
    np.testing.assert_array_equal(losses[0][:20], losses[1][:20])
    assert list(trained.diverged) == [2]
    assert np.isinf(trained.history.query("run == 2 and step > 3")["norm"]).all()
    resumed = train(*given, objective=Approach(), checkpoint=tmp_path / "state.npz")
    pd.testing.assert_frame_equal(resumed.history, trained.history, check_exact=True)
    with pytest.raises(ValueError, match="train: approach does not accept batch_size"):
        train(*given, objective=Approach(), batch_size=1)
