import shutil
from pathlib import Path

import pytest
from checkout import ROOT, Checkout

# The folder of `make smoke`.
SMOKE = "results/smoke"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture(scope="session")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with a copy of what `make smoke` has made of this code."""
    if not (ROOT / SMOKE / "report/index.html").exists():
        pytest.fail("there is no smoke run of this code; run make smoke first")
    copy = Checkout(tmp_path_factory.mktemp("replicated"), SMOKE)
    shutil.copytree(ROOT / SMOKE, copy.made, symlinks=True)
    return copy
