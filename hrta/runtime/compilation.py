"""Compilation of functions for the CPU, and the cache of the machine code."""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hrta.runtime.files import check_writable
from hrta.runtime.imports import needed_by

with needed_by("compiled code"):
    import numba
    from numba.core.caching import FunctionCache
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
            kept = "later runs read them from the cache in"
            LOG.info("compiling the kernels, some ten seconds; %s %s", kept, Path(_CACHE).parent)

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


class KernelCache(FunctionCache):
    """The cache of a function; one that is damaged or cannot be written is no error."""

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """The machine code from the cache; None, and the cache is emptied, if it is damaged."""
        try:
            return super().load_overload(signature, target_context)
        # Unpickling raises anything.
        except Exception as error:
            LOG.info("the cache of %s is damaged (%s); compiling again", self._name, error)
            self._empty()
            return None

    def save_overload(self, signature: Any, data: Any) -> None:
        """Write the machine code to the cache, if that is possible."""
        try:
            super().save_overload(signature, data)
        except OSError as error:
            LOG.info("machine code is not kept: %s", error)

    def _empty(self) -> None:
        try:
            self.flush()
        except OSError as error:
            LOG.info("the cache cannot be written: %s", error)


def _compiled(function: Callable, options: dict[str, object]) -> Callable:
    dispatcher = numba.njit(**options)(function)
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _CACHE
    try:
        dispatcher._cache = KernelCache(function)
    finally:
        numba.config.CACHE_DIR = before
    return dispatcher


def _cache_folder() -> str:
    """A folder in that of NUMBA_CACHE_DIR or in the package; if it is read-only, of the user."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    roots = [Path(given) if given else PACKAGE / "__pycache__", _user_cache()]
    sources = b"".join(file.read_bytes() for file in SOURCES)
    name = f"kernels-{hashlib.sha256(sources).hexdigest()[:16]}"
    for root in roots:
        if _can_write(root / name):
            return str(root / name)
    return str(_temporary_cache() / name)


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "hrta"


def _temporary_cache() -> Path:
    """A folder for temporary files that no other user can write to, as machine code is run."""
    root = Path(tempfile.gettempdir()) / f"hrta-{os.getuid()}"
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        state = root.lstat()
        if state.st_uid == os.getuid() and state.st_mode & 0o777 == 0o700 and not root.is_symlink():
            return root
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="hrta-"))


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_writable(folder)
    except OSError:
        return False
    return True


_CACHE = _cache_folder()
