"""The machine: one run at a time in a folder, GPUs, and the resources of jobs."""

import fcntl
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from hrta.runtime.gpus import has_driver
from hrta.study.config.mistakes import ConfigError
from hrta.study.pipeline.sources import HOME


def claim_folder(state: Path = Path(".snakemake")) -> TextIO:
    """Mark this run as alive, and remove Snakemake's lock of a run that was killed.

    Every live run holds a shared lock on the file `running` in the folder, which the kernel
    releases when the process ends. If no process holds it, Snakemake's lock is stale, unless it is
    of a run on another host, as some network file systems keep such locks within a host and some
    have none. Then Snakemake's lock counts, and `snakemake --unlock` removes it.

    Returns:
        The open file, to be kept open until the run ends.
    """
    host = socket.gethostname()
    state.mkdir(exist_ok=True)
    presence = (state / "running").open("a+")
    try:
        fcntl.flock(presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
        presence.seek(0)
        if presence.read() in ("", host) or not any(state.glob("locks/*")):
            shutil.rmtree(state / "locks", ignore_errors=True)
            (state / "locks").mkdir()
            presence.truncate(0)
            presence.write(host)
            presence.flush()
    except BlockingIOError:
        pass  # another run is alive, and its lock counts
    except OSError:
        return presence
    fcntl.flock(presence, fcntl.LOCK_SH)
    return presence


def gpus(device: str, submitted: bool) -> int:
    """The number of GPUs, 1 or 0, that a job requests which can train on a GPU.

    Args:
        device: auto, cpu or cuda.
        submitted: whether jobs run on other machines, whose GPUs are unknown here. Then a GPU is
            requested only with cuda; a job that finds none fails.

    Raises:
        ConfigError: cuda, jobs run on this machine, and it has no usable GPU.
    """
    if submitted:
        return int(device == "cuda")
    if device == "cpu":
        return 0
    usable = _usable_gpu()
    if device == "cuda" and not usable:
        raise ConfigError(
            "config: device: 'cuda' given; there is no usable CUDA GPU here, use 'auto' or 'cpu'"
        )
    return int(usable)


def _usable_gpu() -> bool:
    """Whether torch can use a GPU."""
    if not has_driver():
        return False
    ask = "import torch; raise SystemExit(not torch.cuda.is_available())"
    asked = subprocess.run([sys.executable, "-c", ask], stderr=subprocess.DEVNULL, check=False)
    return asked.returncode == 0


def shell_prefix(gpu: int) -> str:
    """The beginning of the command of every job.

    Jobs run with this interpreter and this package, whatever is active or installed. Without a
    requested GPU they cannot use one.
    """
    programs = os.path.dirname(sys.executable)  # noqa: PTH120, does not follow links
    hidden = "" if gpu else "export CUDA_VISIBLE_DEVICES=; "
    return (
        f"export PYTHONPATH={shlex.quote(str(HOME))};"
        f" export PATH={shlex.quote(programs)}:$PATH; {hidden}"
    )


def more_each_try(first: int) -> Callable[..., int]:
    """A resource (memory or time) of `first` at the first try, twice `first` at the second, ..."""
    return lambda wildcards, attempt: first * attempt
