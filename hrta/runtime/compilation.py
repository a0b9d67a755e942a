"""How functions are compiled for the CPU, and where the machine code is kept."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numba

# Sums may be reordered, products and sums fused; infinities and NaN count, for they tell of
# divergence. Division by zero is that of floating-point numbers, not Python's exception.
OPTIONS = {
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
    "error_model": "numpy",
    "nogil": True,
    # A function that is not inlined is in the machine code twice, by itself and with its caller,
    # and which of the two a process runs would depend on whether it compiled or read the cache.
    # They may sum in different orders.
    "forceinline": True,
}
# Every operation as it is written, for code that reckons with what rounding takes away.
EXACT_OPTIONS = OPTIONS | {"fastmath": False}


# The modules whose functions are compiled, and what these take their constants from.
SOURCES = (
    *("runtime/compilation", "training/optimizers", "ntk/arc_cosine"),
    *(
        f"training/kernels/{name}"
        for name in ("updates", "one_dimensional", "simd", "dense", "loop", "unrolled", "ritz")
    ),
)


def compiled(function: Callable) -> Callable:
    """Compile a function when it is first called, and keep the machine code on disk.

    Numba compiles anew when the function's own file has changed; but the code of all that it calls
    is in it. So the folder of the cache is named after the sources of all of them.
    """
    return _compiled(function, OPTIONS)


def compiled_exactly(function: Callable) -> Callable:
    """As `compiled`, but no sum is reordered and nothing fused."""
    return _compiled(function, EXACT_OPTIONS)


def _compiled(function: Callable, options: dict[str, object]) -> Callable:
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _CACHE or before
    try:
        return numba.njit(cache=True, **options)(function)
    finally:
        numba.config.CACHE_DIR = before


def _cache_folder() -> str | None:
    """Beside the package, or numba's own choice where that is read-only."""
    package = Path(__file__).parents[1]
    if "NUMBA_CACHE_DIR" not in os.environ and not os.access(package, os.W_OK):
        return None
    files = [package / f"{name}.py" for name in SOURCES]
    sources = b"".join(file.read_bytes() for file in files)
    root = Path(os.environ.get("NUMBA_CACHE_DIR", package / "__pycache__"))
    return str(root / f"kernels-{hashlib.sha256(sources).hexdigest()[:16]}")


_CACHE = _cache_folder()
