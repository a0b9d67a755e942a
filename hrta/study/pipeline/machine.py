"""The machine: one run at a time in a folder, GPUs, and the resources of jobs."""

import fcntl
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TextIO

from hrta.runtime.gpus import has_driver
from hrta.study.config.mistakes import ConfigError
from hrta.study.pipeline.recorded import CODE
from hrta.study.pipeline.sources import HOME


def claim_folder(state: Path = Path(".snakemake")) -> TextIO:
    """Check the folder, mark this run as alive, and remove Snakemake's lock of a killed run.

    Every live run holds a shared lock on the file `running` in the folder, which the kernel
    releases when the process ends. If no process holds it, Snakemake's lock is stale, unless it is
    of a run on another host, as some network file systems keep such locks within a host and some
    have none. Then Snakemake's lock counts, and `snakemake --unlock` removes it.

    Returns:
        The open file, to be kept open until the run ends.
    """
    _check_path()
    _check_modules()
    # Submitted jobs start Snakemake in this folder, whose modules they must not import.
    os.environ["PYTHONSAFEPATH"] = "1"
    host = socket.gethostname()
    try:
        state.mkdir(exist_ok=True)
        presence = (state / "running").open("a+")
    except OSError as error:
        sys.exit(f"workflow: {Path.cwd()}: a run must be able to write here: {error.strerror}")
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


def _check_path() -> None:
    """End with one line if a path has braces, which Snakemake takes for wildcards."""
    for folder in (HOME, Path.cwd()):
        if set(str(folder)) & set("{}"):
            sys.exit(f"workflow: {folder}: a path must not have braces; rename the folder")


def _check_modules() -> None:
    """End with one line if jobs would import a module beside the package, not an installed one."""
    others = [place for place in sys.path if Path(place) != HOME]
    for file in sorted(HOME.iterdir()):
        name, is_package = file.name.partition(".")[0], (file / "__init__.py").exists()
        is_module = file.name not in CODE and (is_package or file.suffix in (".py", ".so"))
        if is_module and PathFinder.find_spec(name, others):
            sys.exit(f"workflow: {file}: jobs would import it as {name}; move or rename it")


def check_places(files: Iterable[str]) -> None:
    """End with one line if there is a file where one of these files needs a folder."""
    for folder in {folder for file in files for folder in Path(file).parents}:
        if folder.exists() and not folder.is_dir():
            sys.exit(f"workflow: {folder}: must be a folder; remove this file or rename it")


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

    Jobs run with this interpreter and this package, whatever is active or installed, and whatever
    modules are in the folder of the run. They read and write UTF-8 whatever the locale is. Without
    a requested GPU they cannot use one.
    """
    programs = os.path.dirname(sys.executable)  # noqa: PTH120, does not follow links
    hidden = "" if gpu else "export CUDA_VISIBLE_DEVICES=; "
    prefix = (
        f"export PYTHONPATH={shlex.quote(str(HOME))};"
        f" export PATH={shlex.quote(programs)}:$PATH; {hidden}"
        "export PYTHONSAFEPATH=1 PYTHONUTF8=1; "
    )
    # Snakemake formats it.
    return prefix.replace("{", "{{").replace("}", "}}")


def verbatim(text: str) -> Callable[..., str]:
    """A parameter of a rule in which Snakemake takes no braces for wildcards."""
    return lambda wildcards: text


def report_labels(title: str, stem: str) -> dict[str, str]:
    """The labels of an item's file in Snakemake's own report, where braces would be wildcards."""
    title = title.replace("{", "(").replace("}", ")")
    return {"item": title, "shows": stem.replace("_", " ")}


def more_each_try(first: int) -> Callable[..., int]:
    """A resource (memory or time) of `first` at the first try, twice `first` at the second, ..."""
    return lambda wildcards, attempt: first * attempt
