import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from small_run import make_run

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem

# Time is no criterion where other tests run beside.
settings.register_profile("beside", deadline=None)
settings.load_profile("beside")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("no CUDA GPU")


@pytest.fixture
def small_problem() -> Problem:
    """Seven random points in two dimensions, four to test on."""
    random = np.random.default_rng(3)
    x, x_test = random.normal(size=(7, 2)), random.normal(size=(4, 2))
    return Problem("small", x, np.sin(x).sum(1), x_test, np.sin(x_test).sum(1))


@pytest.fixture
def small_networks() -> TwoLayer:
    """Five networks of width 11 in float64."""
    return TwoLayer.initialise(range(5), inputs=2, width=11, dtype=torch.float64)


@pytest.fixture(scope="session")
def small_run_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small workflow that has been run, with its manifest; only to be copied."""
    folder = tmp_path_factory.mktemp("small") / "run"
    folder.mkdir()
    make_run(folder)
    return folder


@pytest.fixture
def small_run(small_run_once: Path, tmp_path: Path) -> Path:
    """A copy of it of one's own."""
    return shutil.copytree(small_run_once, tmp_path / "run")
