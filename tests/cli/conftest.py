import gc

import pytest


@pytest.fixture(autouse=True)
def _collected():
    """A command exempts what is imported from garbage collection: its process runs no other."""
    yield
    gc.unfreeze()
