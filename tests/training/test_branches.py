"""Runs that are trained once up to where they part."""

import numpy as np
import pytest
import torch

from hrta import Problem, Schedule, Stage, TwoLayer, train
from hrta.training.branches import first_branches, firsts, split

GENERATOR = np.random.default_rng(0)
PROBLEM = Problem("random", GENERATOR.uniform(size=(20, 1)), GENERATOR.normal(size=20))


def test_what_is_the_same_and_what_is_not():
    weights = np.random.default_rng(0).normal(size=(2, 3, 4))[[0, 0, 0, 1, 0]]
    rates = np.array([0.1, 0.1, 0.2, 0.1, 0.1])
    start = first_branches(weights, rates, np.zeros(5, int))
    first = split(start, np.array([1, 1, 1, 1, 0.5]))
    second = split(first, np.array([1, 1.5, 1, 1, 1]))
    assert len(set(start)) == 3
    assert first[0] == first[1]
    assert len(set(first)) == 4
    assert len(set(second)) == 5
    parents = first[firsts(second)]
    assert (np.diff(parents) >= 0).all()
    assert set(parents) == set(first)


def test_other_seeds_are_other_branches():
    assert len(set(first_branches(np.zeros((3, 2)), np.ones(3), np.array([1, 2, 1])))) == 2


@pytest.mark.parametrize("optimizer", ["adam", "heavy_ball"])
@pytest.mark.parametrize("engine", ["torch", "numba"])
@pytest.mark.parametrize("reset", [False, True])
def test_a_run_that_shares_stages_is_the_run_alone(engine, optimizer, reset):
    schedules = [
        Schedule([Stage(1, 10), Stage(1, 10)]),
        Schedule([Stage(1, 7), Stage(1.5, 13)]),
        Schedule([Stage(1, 7), Stage(1.5, 8), Stage(2, 5)]),
        Schedule([Stage(0.5, 20)]),
        Schedule([Stage(1, 4), Stage(1, 16)]),
    ]
    networks = TwoLayer.initialise([3] * len(schedules), 1, 6)
    options = {"optimizer": optimizer, "reset_optimizer": reset, "engine": engine}
    together = train(PROBLEM, networks, schedules, **options)
    for run, schedule in enumerate(schedules):
        one = TwoLayer(networks.inner[:1], networks.outer[:1])
        alone = train(PROBLEM, one, schedule, **options)
        history = together.history[together.history["run"] == run].drop(columns="run")
        assert alone.history.drop(columns="run").equals(history.reset_index(drop=True))
        assert torch.equal(together.networks.inner[run], alone.networks.inner[0])
        assert torch.equal(together.networks.outer[run], alone.networks.outer[0])


def test_no_step_is_made_twice(monkeypatch):
    from hrta.training.engines.numba_engine import NumbaEngine

    updates = []
    advance = NumbaEngine.advance

    def counted(self, s, factors, logged):
        updates.append(len(s) * len(factors))
        return advance(self, s, factors, logged)

    monkeypatch.setattr(NumbaEngine, "advance", counted)
    schedules = [Schedule.constant_length(s, 50) for s in ([1, 1], [1, 1.5], [0.5, 1])]
    networks = TwoLayer.initialise([0, 0, 0], 1, 4)
    train(PROBLEM, networks, schedules, engine="numba")
    assert sum(updates) == 2 * 50 + 3 * 50
