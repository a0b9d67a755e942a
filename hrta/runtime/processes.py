"""Threads of a job, and its termination."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType


def end_on_sigterm() -> None:
    """Turn SIGTERM into SystemExit, so that temporary files are removed."""

    def leave(signum: int, frame: FrameType | None) -> None:
        sys.exit(128 + signum)

    signal.signal(signal.SIGTERM, leave)


def end_with(parent: int | None) -> None:
    """End this process soon after its parent process `parent` has ended.

    Without this, the jobs of a killed workflow would continue to write files.
    """
    if parent is None:
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def cores() -> int:
    """Number of threads to use: OMP_NUM_THREADS (set by Snakemake), or all available cores."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted):
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(task: Callable, runs: Iterable[int]) -> list:
    """The results of the task for all runs; the number of threads is that of torch."""
    import torch

    pool = ThreadPoolExecutor(torch.get_num_threads())
    try:
        return list(pool.map(task, runs))
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def one_cpu_thread() -> Iterator[None]:
    """Let torch use one thread: with two, matrix products sum in another order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Let torch round numbers below the smallest normal one to 0, where the CPU can do that.

    For the calling thread. Arithmetic with such numbers is up to a hundred times slower. They
    arise from the softmax of well separated classes, and where gradients are 0 for long.
    """
    import torch

    tiny = torch.tensor(torch.finfo(torch.float32).tiny)
    flushed = not tiny / 2
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)
