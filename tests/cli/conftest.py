import gc

import pytest


@pytest.fixture(autouse=True)
def _collected():
    """A command excludes what is imported from garbage collection, for its process runs no other."""
    yield
    gc.unfreeze()
