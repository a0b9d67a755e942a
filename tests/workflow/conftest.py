from pathlib import Path

import pytest
from checkout import Checkout


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What reads the one replication goes to one worker, and first, for it takes longest."""
    items.sort(key=lambda item: "replicated" not in item.fixturenames)
    for item in items:
        if "replicated" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("replicated"))


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
