"""Counts, seeds and sizes out of their range, or too large for the memory: one line each."""

import numpy as np
import pytest
import torch
from wrong_calls import FUNCTIONS, TRAIN, refused

import hrta
from hrta import Plateau, Schedule, Stage, TwoLayer
from hrta.networks import AdaptiveNetworks, Perceptron
from hrta.ntk.linearised import draw_parts
from hrta.problems import datasets, poisson, targets
from hrta.training import DeepRitz, lbfgs

COUNTS = [
    *((TwoLayer.initialise, name) for name in ("inputs", "width")),
    *((Perceptron, name) for name in ("inputs", "width", "hidden", "outputs")),
    *((AdaptiveNetworks.initialise, name) for name in ("inputs",)),
    (Stage, "steps"),
    (Plateau, "patience"),
    (hrta.train, "log_every"),
    (lbfgs.train, "history_size"),
    (draw_parts, "runs"),
    (targets.make_problem, "points"),
    (targets.make_problem, "test_points"),
    (DeepRitz, "points"),
]


@pytest.mark.parametrize(("function", "name"), COUNTS)
def test_what_is_no_count_is_refused(function, name):
    for value in (0, 1.5, "8", True, np.inf, 2**70, 10**400):
        message = refused(function, {name: value})
        assert f"{name} must be a positive integer" in message
        assert len(message) < 120


MANY = 10**12
TOO_LARGE = [
    *((function, name, MANY) for function, name in COUNTS if function in (TwoLayer.initialise,)),
    *((Perceptron, name, MANY) for name in ("inputs", "width", "hidden", "outputs")),
    (TwoLayer.initialise, "seeds", range(MANY)),
    (AdaptiveNetworks.initialise, "seeds", range(MANY)),
    (AdaptiveNetworks.initialise, "hidden", [3, MANY]),
    (lbfgs.train, "history_size", MANY),
    (draw_parts, "runs", MANY),
    (targets.make_problem, "points", MANY),
    (targets.make_problem, "test_points", MANY),
    (poisson.grid, "points", MANY),
    (poisson.gauss_legendre, "points", MANY),
    (hrta.train, "schedule", Schedule([Stage(1, MANY)])),
]


@pytest.mark.parametrize(("function", "name", "value"), TOO_LARGE)
def test_what_does_not_fit_into_memory_is_refused_before_it_is_made(function, name, value):
    with pytest.raises(MemoryError, match=r"GiB needed, .* GiB free"):
        function(**FUNCTIONS[function] | {name: value})


def test_stages_that_do_not_fit_into_memory_are_refused():
    for path in (Schedule.linear, Schedule.cosine):
        with pytest.raises(MemoryError, match="GiB needed"):
            path(1.0, 1.5, MANY, 1)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True, None, 2**70])
def test_seeds_that_are_no_non_negative_integers_are_refused(seed):
    for function in (TwoLayer.initialise, AdaptiveNetworks.initialise):
        assert "seeds must be a non-negative integer" in refused(function, {"seeds": [0, seed]})
    for function in (Perceptron, draw_parts, targets.make_problem, datasets.load):
        assert "seed must be a non-negative integer" in refused(function, {"seed": seed})


def test_seeds_that_are_no_sequence_are_refused():
    for seeds in (3, "12", {0: 1}, {0, 1}, iter([0]), []):
        for function in (TwoLayer.initialise, AdaptiveNetworks.initialise):
            assert "seeds must be several integers" in refused(function, {"seeds": seeds})


def test_a_dtype_or_device_without_real_numbers_is_refused():
    for function in (TwoLayer.initialise, AdaptiveNetworks.initialise):
        for dtype in ("float32", np.float32, float, torch.int32, torch.complex64, torch.bool):
            assert "dtype must be one of torch.float64, " in refused(function, {"dtype": dtype})
        for device in ("nonsense", "", "meta", "cpu:-1", 1.5, ["cpu"]):
            assert "device must be one that torch can" in refused(function, {"device": device})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_networks_with_weights_that_are_not_finite_are_not_trained(value):
    inner = TRAIN["networks"].inner.clone()
    inner[1, 0, 0] = value
    networks = TwoLayer(inner, TRAIN["networks"].outer)
    for function in (hrta.train, lbfgs.train):
        assert "networks must have finite weights" in refused(function, {"networks": networks})
