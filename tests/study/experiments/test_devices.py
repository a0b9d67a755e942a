"""The device of a job."""

import subprocess
import sys

import pytest
import torch

from hrta.study.experiments import devices
from hrta.study.experiments.devices import choose_device, name_of


@pytest.mark.parametrize(
    ("name", "driver", "usable", "chosen"),
    [
        ("auto", True, True, "cuda"),
        ("auto", True, False, "cpu"),
        ("auto", False, True, "cpu"),
        ("cuda", True, True, "cuda"),
        ("cpu", True, True, "cpu"),
    ],
)
def test_auto_is_a_gpu_where_there_is_one(name, driver, usable, chosen, monkeypatch):
    monkeypatch.setattr(devices, "has_driver", lambda: driver)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: usable)
    assert choose_device(name) == chosen


@pytest.mark.parametrize("driver", [True, False])
def test_a_gpu_that_is_not_there_is_one_line(driver, monkeypatch):
    monkeypatch.setattr(devices, "has_driver", lambda: driver)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="there is no usable CUDA GPU here"):
        choose_device("cuda")


@pytest.mark.skipif(devices.has_driver(), reason="there is a driver")
def test_a_cpu_needs_no_torch():
    code = (
        "import sys; from hrta.study.experiments.devices import choose_device, name_of;"
        " print(name_of(choose_device('auto'))); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "cpu\n"


def test_a_gpu_has_a_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"the {device} device")
    assert name_of("cuda") == "the cuda device"
