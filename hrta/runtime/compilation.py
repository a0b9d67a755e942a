"""Compilation of functions for the CPU, and the cache of the machine code."""

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from hrta.runtime.imports import needed_by

with needed_by("compiled code"):
    import numba
    from numba.core.event import Event, Listener, register

LOG = logging.getLogger(__name__)

# Sums may be reordered, products and sums fused. Infinities and NaN are respected: they indicate
# divergence. Division by zero follows IEEE 754 instead of raising Python's exception.
OPTIONS: dict[str, object] = {
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
    "error_model": "numpy",
    "nogil": True,
    # A function that is not inlined is in the machine code twice: alone and with its caller. The
    # two may sum in different orders, and which of them a process runs depends on whether it
    # compiled the code or read it from the cache.
    "forceinline": True,
}
# Every operation as written, for code that computes rounding errors.
EXACT_OPTIONS = OPTIONS | {"fastmath": False}


# The package, and the modules with compiled functions or constants of them.
PACKAGE = Path(__file__).parents[1]
SOURCES = (
    *(PACKAGE / f"{name}.py" for name in ("runtime/compilation", "training/optimizers")),
    PACKAGE / "ntk/arc_cosine.py",
    *sorted(PACKAGE.glob("training/kernels/*.py")),
)


class Announcement(Listener):
    """Logs that functions of this package are compiled, once in a process.

    Machine code that is read from the cache is no event.
    """

    def __init__(self) -> None:
        self.made = False

    def on_start(self, event: Event) -> None:
        """Log the first compilation."""
        module = event.data["dispatcher"].py_func.__module__
        if not self.made and module.startswith("hrta."):
            self.made = True
            LOG.info("compiling the kernels, some ten seconds; later runs read them from the cache")

    def on_end(self, event: Event) -> None:
        """Nothing is logged at the end."""


register("numba:compile", Announcement())


def compiled(function: Callable) -> Callable:
    """Compile a function at its first call, and cache the machine code on disk.

    Numba recompiles only if the function's own file has changed, but the machine code contains all
    functions that it calls. So the name of the cache folder has a hash of all SOURCES.
    """
    return _compiled(function, OPTIONS)


def compiled_exactly(function: Callable) -> Callable:
    """As `compiled`, but sums are not reordered and operations not fused.

    Such a function must not contain an integer power, such as x**2. Numba compiles the function
    behind it once in a process, with the options of its first caller, and links it into all others.
    So the last digits of a training would depend on whether the process compiled exact code before.
    """
    return _compiled(function, EXACT_OPTIONS)


def _compiled(function: Callable, options: dict[str, object]) -> Callable:
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _CACHE or before
    try:
        return numba.njit(cache=True, **options)(function)
    finally:
        numba.config.CACHE_DIR = before


def _cache_folder() -> str | None:
    """A folder in the package; None, numba's default, if the package is read-only."""
    if "NUMBA_CACHE_DIR" not in os.environ and not os.access(PACKAGE, os.W_OK):
        return None
    sources = b"".join(file.read_bytes() for file in SOURCES)
    root = Path(os.environ.get("NUMBA_CACHE_DIR", PACKAGE / "__pycache__"))
    return str(root / f"kernels-{hashlib.sha256(sources).hexdigest()[:16]}")


_CACHE = _cache_folder()
