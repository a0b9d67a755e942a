"""Runs that are trained once up to where they part."""

import numpy as np
import pytest
import torch

from hrta import Problem, Schedule, Stage, TwoLayer, train
from hrta.training.branches import branches, firsts

GENERATOR = np.random.default_rng(0)
PROBLEM = Problem("random", GENERATOR.uniform(size=(20, 1)), GENERATOR.normal(size=20))


def test_what_is_the_same_and_what_is_not():
    networks = TwoLayer.initialise([0, 0, 0, 1, 0], inputs=2, width=5)
    s = np.array([[1, 1, 1, 1, 0.5], [1, 1.5, 1, 1, 1]])
    same = branches(networks, np.array([0.1, 0.1, 0.2, 0.1, 0.1]), s)
    first, second = same
    assert first[0] == first[1]
    assert len(set(first)) == 4
    assert len(set(second)) == 5
    parents = first[firsts(second)]
    assert (np.diff(parents) >= 0).all()
    assert set(parents) == set(first)


@pytest.mark.parametrize("optimizer", ["adam", "heavy_ball"])
@pytest.mark.parametrize("engine", ["reference", "cpu"])
@pytest.mark.parametrize("reset", [False, True])
def test_a_run_that_shares_stages_is_the_run_alone(engine, optimizer, reset):
    schedules = [
        Schedule([Stage(1, 10), Stage(1, 10)]),
        Schedule([Stage(1, 7), Stage(1.5, 13)]),
        Schedule([Stage(1, 7), Stage(1.5, 8), Stage(2, 5)]),
        Schedule([Stage(0.5, 20)]),
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
    from hrta.training.engines.numba_engine import CpuEngine

    updates = []
    advance = CpuEngine.advance

    def counted(self, s, factors, logged):
        updates.append(len(s) * len(factors))
        return advance(self, s, factors, logged)

    monkeypatch.setattr(CpuEngine, "advance", counted)
    schedules = [Schedule.constant_length(s, 50) for s in ([1, 1], [1, 1.5], [0.5, 1])]
    networks = TwoLayer.initialise([0, 0, 0], 1, 4)
    train(PROBLEM, networks, schedules, engine="cpu")
    assert sum(updates) == 2 * 50 + 3 * 50
