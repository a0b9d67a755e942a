"""The machine: one run at a time in a folder, and what jobs may use."""

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

from hrta.study.config.mistakes import ConfigError
from hrta.study.pipeline.sources import HOME


def claim_folder(state: Path = Path(".snakemake")) -> TextIO:
    """Note that this run is alive, and remove the lock of a run that was killed.

    Every live run in a folder holds a shared lock on a file of ours, which the kernel takes back
    when the run ends in whatever way. Where nobody holds one, a lock of Snakemake's is stale;
    unless the run was one of another host: some network file systems keep such locks within a host,
    and some have none at all. There Snakemake's lock counts, and `snakemake --unlock` removes it.

    Returns:
        The open file, to be kept as long as the run lasts.
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
        pass  # another run is alive: its lock counts
    except OSError:
        return presence
    fcntl.flock(presence, fcntl.LOCK_SH)
    return presence


def gpus(device: str, submitted: bool) -> int:
    """How many GPUs a job asks for that can train on one: 1 or 0.

    Args:
        device: auto, cpu or cuda.
        submitted: whether jobs run on other machines than this. What those have is not known here:
            there a GPU is used if it is asked for, and the job that finds none says so.

    Raises:
        ConfigError: cuda, where jobs run on this machine and it has no usable GPU.
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
    """Whether torch sees a GPU; only asked where there is a driver, for torch is slow to import."""
    if shutil.which("nvidia-smi") is None:
        return False
    ask = "import torch; raise SystemExit(not torch.cuda.is_available())"
    asked = subprocess.run([sys.executable, "-c", ask], stderr=subprocess.DEVNULL, check=False)
    return asked.returncode == 0


def shell_prefix(gpu: int) -> str:
    """What every job's command begins with.

    Jobs run with this interpreter and this package, whatever is active or installed, and see no GPU
    that is not meant for them.
    """
    programs = os.path.dirname(sys.executable)  # noqa: PTH120, as it is, and no link followed
    hidden = "" if gpu else "export CUDA_VISIBLE_DEVICES=; "
    return (
        f"export PYTHONPATH={shlex.quote(str(HOME))};"
        f" export PATH={shlex.quote(programs)}:$PATH; {hidden}"
    )


def more_each_try(first: int) -> Callable[..., int]:
    """So much memory or time at the first try, twice as much at the second, and so on."""
    return lambda wildcards, attempt: first * attempt
