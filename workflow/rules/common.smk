# What all stages share: the checked configuration, the package's sources, one run at a time.

import ast
import fcntl
import os
import shlex
import shutil
import sys
from pathlib import Path

# Relative where the workflow runs in its own folder, so that the folder can be moved.
ROOT = Path(os.path.relpath(workflow.basedir))

sys.path.insert(0, workflow.basedir)
shell.prefix(f"export PYTHONPATH={shlex.quote(workflow.basedir)}; ")

from hrta.config import ConfigError, check_config

try:
    settings = check_config(config)
except ConfigError as error:
    sys.exit(str(error))


# The rules name environment.yml as their environment, but its lock is found only beside it.
if workflow.deployment_settings.deployment_method:
    sys.exit(
        "workflow: no --software-deployment-method here; make the one environment of all rules "
        "with `make env` or from environment.yml, and run without"
    )


def sources(*modules):
    """The files of these modules of the package and of all of the package that they import."""
    found, waiting = set(), list(modules)
    while waiting:
        file = Path(workflow.basedir, *waiting.pop().split(".")).with_suffix(".py")
        if file in found or not file.exists():
            continue
        found.add(file)
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hrta"):
                waiting += [node.module, *(f"{node.module}.{part.name}" for part in node.names)]
    return sorted(str(ROOT / file.relative_to(workflow.basedir)) for file in found)


def clear_stale_lock():
    """Remove the lock of a run that was killed.

    Every live run in this folder holds a shared lock on a file of ours, which the kernel takes
    back when the run ends in whatever way. Where nobody holds one, a lock of Snakemake's is stale.
    """
    folder = Path(".snakemake")
    folder.mkdir(exist_ok=True)
    presence = open(folder / "running", "w")
    try:
        fcntl.flock(presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # another run is alive: its lock counts
    else:
        shutil.rmtree(folder / "locks", ignore_errors=True)
        (folder / "locks").mkdir()
    fcntl.flock(presence, fcntl.LOCK_SH)
    return presence


if workflow.is_main_process:
    presence = clear_stale_lock()  # held until this process ends


def wants_gpu():
    """1 where training will use a GPU, for the jobs that declare it, else 0."""
    if settings.device == "auto":
        return int(shutil.which("nvidia-smi") is not None)
    return int(settings.device == "cuda")


wildcard_constraints:
    experiment="|".join(settings.experiments),
    optimizer="|".join(settings.optimizers),
    width=r"\d+",
