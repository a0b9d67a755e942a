"""Right arguments of public functions, to call them with one wrong argument."""

import numpy as np
import pytest
import torch

import hrta
from hrta import HomotopyActivation, Plateau, Problem, Schedule, Stage, TwoLayer
from hrta.networks import AdaptiveNetworks, Perceptron
from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.extremes import extremal_eigenvalues
from hrta.ntk.linearised import draw_parts, predict_losses
from hrta.ntk.momentum import predict_losses_with_momentum
from hrta.problems import datasets, poisson, targets
from hrta.training import AdaptiveSlopes, DeepRitz, lbfgs

X = np.random.default_rng(0).normal(size=(6, 2))
Y = X[:, 0]
TRAIN = {
    "problem": Problem("mine", X, Y),
    "networks": TwoLayer.initialise([0, 1], 2, 4),
    "schedule": Schedule([Stage(1, 1), Stage(1.5, 1)]),
    "engine": "torch",
}
ANMIN = {"x": X, "y": Y, "inner": np.arange(12.0).reshape(3, 4), "rounds": 2, "ridge": 1e-3}
FUNCTIONS = {
    hrta.train: TRAIN,
    hrta.ntk.gram: {"x": X, "s": 1.0},
    hrta.ntk.empirical_gram: {"x": X, "inner": np.ones((3, 4)), "outer": np.ones(4), "s": 1.0},
    hrta.anmin.train: ANMIN,
    TwoLayer.initialise: {"seeds": [0], "inputs": 2, "width": 3},
    Problem: {"name": "mine", "x": X, "y": Y},
    Plateau: {},
    Stage: {"s": 1, "steps": 1},
    Schedule.equal_parts: {"s": [1, 1.5], "steps": 4},
    HomotopyActivation: {},
    hrta.homotopy: {"z": torch.ones(3), "s": 1.0},
    TwoLayer: {"inner": torch.ones(2, 3, 4), "outer": torch.ones(2, 4)},
    Perceptron: {"inputs": 2, "width": 3},
    AdaptiveNetworks.initialise: {"seeds": [0], "inputs": 2, "hidden": [3]},
    lbfgs.train: {"problem": TRAIN["problem"], "networks": TRAIN["networks"], "evaluations": 2},
    spectrum: {},
    extremal_eigenvalues: {"x": X, "values": [1.0]},
    draw_parts: {"x": X, "runs": 1},
    predict_losses: {
        "problem": TRAIN["problem"],
        "schedule": TRAIN["schedule"],
        "learning_rates": np.ones(2),
        "parts": (np.ones((1, 6)), np.ones((1, 6))),
        "steps": [0, 2],
    },
    predict_losses_with_momentum: {
        "kernel": np.eye(2),
        "residuals": np.ones((1, 2)),
        "optimizer": "nesterov",
        "learning_rate": 0.1,
        "momentum": 0.5,
        "steps": [0, 1],
    },
    poisson.PoissonProblem: {"name": "mine"},
    poisson.grid: {"points": 4, "dimension": 2},
    poisson.gauss_legendre: {"points": 4, "dimension": 2},
    targets.make_problem: {"name": "sine1d"},
    datasets.load: {"name": "iris"},
    DeepRitz: {},
    AdaptiveSlopes: {},
}
# The arguments that are checked, and for which None is allowed.


def refused(function, change):
    """The message of the error."""
    with pytest.raises(ValueError, match=": ") as error:
        function(**FUNCTIONS[function] | change)
    assert "\n" not in str(error.value)
    return str(error.value)
