"""Whoever is timed beside the engines trains the same networks in the same way."""

from pathlib import Path

import pytest
import torch

from benchmarks import jax_workers
from benchmarks.cases import Case
from benchmarks.jax_workers import PROCESSES, JaxError, JaxWorkers, variants
from benchmarks.peers import Ensemble, Naive, TorchBlas, torch_threads

STEPS = 40
JAX_PYTHON = Path(__file__).parents[2] / ".venv-jax/bin/python"


def start(d, runs=3):
    return Case(d, m=19, n=13, R=runs).make(dtype=torch.float64)


def loss_of_torch(begin):
    """Before the last of two times so many steps."""
    return advanced_twice(Ensemble("torch", begin, 1))


def advanced_twice(contender):
    contender.advance(STEPS)
    return contender.advance(STEPS)


@pytest.mark.parametrize("d", [1, 3, 30])
@pytest.mark.parametrize(
    "make",
    [
        lambda begin: Ensemble("numba", begin, 2),
        lambda begin: Naive(begin, 1),
        lambda begin: Naive(begin, 2),
        lambda begin: TorchBlas(begin, 1, 1),
        lambda begin: TorchBlas(begin, 1, 2),
        lambda begin: TorchBlas(begin, 2, 1),
    ],
)
def test_same_loss_as_the_torch_engine(make, d):
    begin = start(d)
    assert advanced_twice(make(begin)) == pytest.approx(loss_of_torch(begin), rel=1e-10)


def test_all_networks_at_once_are_trained():
    begin = start(2)
    at_once = TorchBlas(begin, 2, 1)
    at_once.advance(STEPS)
    second = Case(2, m=19, n=13, R=3).make(dtype=torch.float64)
    second.networks.inner[0], second.networks.outer[0] = (
        begin.networks.inner[1],
        begin.networks.outer[1],
    )
    alone = TorchBlas(second, 1, 1)
    alone.advance(STEPS)
    torch.testing.assert_close(at_once._trained[1].parameters, alone._trained[0].parameters)


def test_no_more_networks_at_once_than_there_are():
    assert TorchBlas(start(1, runs=1), 4, 1).networks == 1


def test_torch_gets_its_threads_back():
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.skipif(not JAX_PYTHON.exists(), reason="no .venv-jax; `make bench` makes it")
def test_jax_has_the_same_loss_as_the_torch_engine(monkeypatch):
    monkeypatch.setattr(jax_workers, "LONGEST_CALL", STEPS // 2)
    begin = start(2)
    expected = loss_of_torch(begin)
    with JaxWorkers(JAX_PYTHON, "cpu", cores=2) as workers:
        contenders = workers.contenders(begin, variants("cpu", everything=True))
        for contender in contenders:
            assert contender.chunk == STEPS // 2
            loss = advanced_twice(contender)
            assert loss == pytest.approx(expected, rel=1e-10), contender.variant
    networks = {contender.variant: contender.networks for contender in contenders}
    some = {"scan": 1, "threads": 2, "vmap": 3, "scan, processes": 2, "vmap, processes": 3}
    assert some.items() <= networks.items()


def test_every_jax_variant_has_a_name_of_its_own():
    for device in ("cpu", "cuda"):
        names = [variant.name for variant in variants(device, everything=True)]
        assert len(set(names)) == len(names)
    assert PROCESSES[1].name == "scan, by hand, processes"


def test_jax_that_is_not_there_is_told_in_one_line(tmp_path):
    with pytest.raises(JaxError, match="there is no "):
        JaxWorkers(tmp_path / "nowhere", "cpu", 1)
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho some line >&2\necho no module named jax >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(JaxError, match="JAX ended: no module named jax"):
        JaxWorkers(broken, "cpu", 1)
