"""Memory that a computation needs, compared with what is free before it begins."""

import math
import os


def need_memory(size: int, what: str) -> None:
    """Raise an error if an array does not fit into memory.

    Args:
        size: size of the array [bytes].
        what: the beginning of the message.

    Raises:
        MemoryError: the size exceeds the free memory.
    """
    free = _free_memory()
    if size > free:
        raise MemoryError(f"{what}: {size / 2**30:.3g} GiB needed, {free / 2**30:.3g} GiB free")


def _free_memory() -> float:
    """Free memory [bytes]; without psutil, which the core does not need, all that there is."""
    try:
        import psutil
    except ImportError:
        if not hasattr(os, "sysconf"):
            return math.inf
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return psutil.virtual_memory().available
