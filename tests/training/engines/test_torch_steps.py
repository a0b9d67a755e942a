"""Steps replayed from CUDA graphs, with a stand-in for the graphs of CUDA on a CPU."""

import logging
from contextlib import nullcontext
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from training_tasks import random_problem

from hrta import Schedule, Stage, TwoLayer, train
from hrta.training.engines import torch_engine, torch_steps
from hrta.training.engines.state import EngineState
from hrta.training.engines.torch_steps import GraphedSteps, Steps, capture_steps
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.objectives.two_layer_loss import make_torch_engine
from hrta.training.optimizers import OPTIMIZERS, make_optimizer

RUNS, STEPS = 3, 6


class Sample(NamedTuple):
    """What is random in a step."""

    shift: Tensor
    more: Tensor


class Bowl:
    """|theta - shift|^2 / 2 of each run; that of run 1 overflows at step 3."""

    def value_and_gradient(self, parameters, s, gradient, sample):
        gradient.copy_(parameters - sample.shift)
        return gradient.square().sum((1, 2)) / 2 * sample.more


class Graph:
    """Replays the work by doing it again."""

    def __init__(self, work):
        self.replay = work


def samples():
    random = torch.Generator().manual_seed(0)
    drawn = [torch.randn(RUNS, 2, 5, generator=random) for _ in range(STEPS)]
    more = torch.ones(STEPS, RUNS)
    more[3, 1] = torch.inf
    return [Sample(shift, each) for shift, each in zip(drawn, more, strict=True)]


def steps_of(name):
    optimizer = make_optimizer(name, 0.8)
    parameters = torch.arange(RUNS * 10.0).view(RUNS, 2, 5)
    state = EngineState(
        step=7,
        runs=range(RUNS),
        diverged=torch.full((RUNS,), -1),
        parameters=parameters,
        moments=parameters.new_zeros(RUNS, optimizer.state_size, 2, 5),
        corrections=parameters.new_zeros(RUNS, 2, dtype=torch.float64),
    )
    return state, Steps(Bowl(), optimizer, state, torch.zeros_like(parameters), None)


@pytest.fixture
def stand_in(monkeypatch):
    """Graphs and streams of CUDA that need none."""
    monkeypatch.setattr(torch_steps, "capture", lambda work: (work(), Graph(work))[1])
    stream = type("Stream", (), {"wait_stream": lambda self, other: None})
    monkeypatch.setattr(torch.cuda, "Stream", stream)
    monkeypatch.setattr(torch.cuda, "current_stream", stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_replayed_steps_are_those_that_were_captured(stand_in, name):
    rate = torch.tensor([0.1, 0.2, 0.3]).view(RUNS, 1, 1)
    (expected, plain), (state, captured) = steps_of(name), steps_of(name)
    graphed = GraphedSteps(captured, samples()[0], rate)
    assert torch.equal(state.parameters, expected.parameters)
    for number, sample in enumerate(samples()):
        for each in (plain, graphed):
            each.evaluate(sample)
        assert torch.equal(graphed.losses, plain.losses)
        assert torch.equal(graphed.alive, plain.alive)
        for each in (plain, graphed):
            each.update(rate * 0.9**number)
    assert state.diverged.tolist() == expected.diverged.tolist() == [-1, 10, -1]
    for field in ("parameters", "moments", "corrections"):
        assert torch.equal(getattr(state, field), getattr(expected, field))


def test_a_step_that_cannot_be_captured_is_launched(monkeypatch, stand_in, caplog):
    def fail(work):
        work()
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    state, steps = steps_of("adam")
    before = state.parameters.clone()
    rate = torch.full((RUNS, 1, 1), 0.1)
    monkeypatch.setattr(torch_steps, "capture", fail)
    with caplog.at_level(logging.WARNING):
        assert capture_steps(steps, samples()[0], rate) is None
    assert [record.getMessage() for record in caplog.records] == [
        "engine torch: no CUDA graph: operation not permitted when stream is capturing; kernels "
        "are launched one by one"
    ]
    assert torch.equal(state.parameters, before)
    assert not state.moments.any()


@pytest.mark.parametrize(("fails", "captures"), [(False, 20), (True, 1)])
def test_an_engine_captures_each_piece_until_a_capture_fails(monkeypatch, fails, captures):
    """On a CPU, where an engine does not try by itself."""
    tried = []

    def capture(steps, sample, rate):
        tried.append(steps)
        return None if fails else steps

    class Graphs(TwoLayerRegression):
        def make_engine(self, task):
            engine = make_torch_engine(task)
            assert not engine._has_graphs
            engine._has_graphs = True
            return engine

    monkeypatch.setattr(torch_engine, "capture_steps", capture)
    monkeypatch.setattr(torch_engine, "GRAPHED_STEPS", 3)
    networks, schedule = TwoLayer.initialise([0], 2, 5), Schedule([Stage(1, 60)])
    train(random_problem(7, 2), networks, schedule, objective=Graphs())
    assert len(tried) == captures
    del tried[:]
    train(random_problem(7, 2), networks, Schedule([Stage(1, 40)]), objective=Graphs())
    assert not tried  # in pieces of two steps
