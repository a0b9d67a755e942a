import importlib
import logging

import numpy as np
import pytest
import torch
from training_tasks import task_of

from hrta import Problem, Schedule, Stage, TwoLayer, train
from hrta.training.engines import choice
from hrta.training.engines.choice import RENAMED
from hrta.training.engines.numba_engine import NumbaEngine
from hrta.training.engines.torch_engine import TorchEngine
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.optimizers import OPTIMIZERS, GradientDescent


def chosen(name, networks):
    problem = Problem("ones", np.ones((4, networks.inputs)), np.ones(4))
    return TwoLayerRegression().make_engine(task_of(problem, networks, engine=name))


def test_auto_is_the_numba_engine_on_a_cpu(caplog):
    networks = TwoLayer.initialise([0], 2, 5)
    assert type(chosen("auto", networks)) is NumbaEngine
    assert type(chosen("torch", networks)) is TorchEngine
    assert not caplog.records


def test_auto_falls_back_to_torch_with_one_line(monkeypatch, caplog):
    def no_numba(name):
        if name == "hrta.training.engines.numba_engine":
            raise ImportError("No module named 'numba'")
        return importlib.import_module(name)

    networks = TwoLayer.initialise([0], 2, 5)
    monkeypatch.setattr(choice, "importlib", type("", (), {"import_module": no_numba}))
    with caplog.at_level(logging.WARNING):
        assert type(chosen("auto", networks)) is TorchEngine
    assert [record.getMessage() for record in caplog.records] == [
        "engine numba: No module named 'numba'; engine torch is used instead"
    ]
    with pytest.raises(ValueError, match="engine numba: No module named 'numba'"):
        chosen("numba", networks)


def test_other_precisions_are_for_torch(small_problem, caplog):
    networks = TwoLayer.initialise([0], 2, 5, dtype=torch.bfloat16)
    history = train(small_problem, networks, Schedule([Stage(1, 3)])).history
    assert np.isfinite(history["loss"]).all()
    assert "dtype must be float32 or float64; it is torch.bfloat16" in caplog.text


def test_a_new_optimizer_is_for_torch(small_problem, monkeypatch, caplog):
    class Twice(GradientDescent):
        def update(self, gradient, learning_rate, *state):
            return super().update(gradient, 2 * learning_rate, *state)

    monkeypatch.setitem(OPTIMIZERS, "twice", Twice)
    networks, schedule = TwoLayer.initialise([0], 2, 5), Schedule([Stage(1, 5)])
    found = train(small_problem, networks, schedule, "twice", 0.01)
    expected = train(small_problem, networks, schedule, "gradient_descent", 0.02, engine="torch")
    np.testing.assert_array_equal(found.history["loss"], expected.history["loss"])
    assert "engine numba: it has no update for optimizer 'twice'" in caplog.text


def test_what_cannot_work_is_refused():
    networks = TwoLayer.initialise([0], 2, 5)
    with pytest.raises(
        ValueError, match="engine: must be one of auto, torch, numba, triton; it is 'gpu'"
    ):
        chosen("gpu", networks)
    with pytest.raises(ValueError, match="engine triton: networks must not be on device cpu"):
        chosen("triton", networks)


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_name_is_refused_with_the_new_one(old):
    with pytest.raises(ValueError, match=f"^engine: '{old}' was renamed '{RENAMED[old]}'$"):
        chosen(old, TwoLayer.initialise([0], 2, 5))
