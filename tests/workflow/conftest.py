from pathlib import Path

import pytest
from checkout import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture(scope="session")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which the smoke replication has been run."""
    copy = Checkout(tmp_path_factory.mktemp("replicated"))
    done = copy.snakemake()
    assert done.returncode == 0, done.stderr
    return copy
