import importlib
import logging

import numpy as np
import pytest
import torch

from hrta import Schedule, Stage, TwoLayer, train
from hrta.training import engines as kernels
from hrta.training.engines import make_engine
from hrta.training.engines.engine import Points, Setting
from hrta.training.engines.numba_engine import CpuEngine
from hrta.training.engines.torch_engine import ReferenceEngine


def setting_for(networks):
    ones = torch.ones(4, networks.inputs + 1).to(networks.inner)
    points = Points(ones, ones[:, 0])
    return Setting(points, None, "adam", 0.9, np.full(networks.runs, 0.01))


def test_auto_is_the_cpu_engine_on_a_cpu(caplog):
    networks = TwoLayer.initialise([0], 2, 5)
    assert type(make_engine("auto", networks, setting_for(networks))) is CpuEngine
    assert type(make_engine("reference", networks, setting_for(networks))) is ReferenceEngine
    assert not caplog.records


def test_auto_falls_back_to_the_reference_with_one_line(monkeypatch, caplog):
    def no_numba(name):
        if name == "hrta.training.engines.numba_engine":
            raise ImportError("No module named 'numba'")
        return importlib.import_module(name)

    networks = TwoLayer.initialise([0], 2, 5)
    monkeypatch.setattr(kernels, "importlib", type("", (), {"import_module": no_numba}))
    with caplog.at_level(logging.WARNING):
        assert type(make_engine("auto", networks, setting_for(networks))) is ReferenceEngine
    assert [record.getMessage() for record in caplog.records] == [
        "engine cpu: No module named 'numba'; the reference engine is used instead"
    ]
    with pytest.raises(ValueError, match="engine cpu: No module named 'numba'"):
        make_engine("cpu", networks, setting_for(networks))


def test_other_precisions_are_the_references(small_problem, caplog):
    networks = TwoLayer.initialise([0], 2, 5, dtype=torch.bfloat16)
    history = train(small_problem, networks, Schedule([Stage(1, 3)])).history
    assert np.isfinite(history["loss"]).all()
    assert "bfloat16 is neither float32 nor float64" in caplog.text


def test_what_cannot_work_is_refused():
    networks = TwoLayer.initialise([0], 2, 5)
    with pytest.raises(ValueError, match="unknown engine 'gpu'; there are auto, reference, cpu, c"):
        make_engine("gpu", networks, setting_for(networks))
    with pytest.raises(ValueError, match="engine cuda: the networks are on device cpu"):
        make_engine("cuda", networks, setting_for(networks))
