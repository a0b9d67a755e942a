"""Fast imports: without optional packages, and without garbage collection."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden(*packages: str) -> Iterator[None]:
    """Within the block these packages count as not installed, unless they are already imported."""
    names = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(names))
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


@contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection, for the imports of a process that then runs one job.

    Imports make many objects and little garbage. All objects at the end of the block are left out
    of later collections, such as the four that Python makes when it exits. This saves a fifth of
    the time of importing torch.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
