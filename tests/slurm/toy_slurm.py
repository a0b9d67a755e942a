"""A real Slurm of one node on this machine, for as long as a block lasts."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue")
SETTINGS = Path("/etc/slurm")
MUNGE = Path("/run/munge")
# One node with 2 cores and one GPU, which is none: its device is /dev/null.
SLURM_CONF = """\
ClusterName=toy
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
SlurmctldPort=16817
SlurmdPort=16818
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
MinJobAge=86400
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName=localhost NodeHostname={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000 Gres=gpu:1
PartitionName=toy Nodes=localhost Default=YES MaxTime=600 State=UP
"""
GRES_CONF = "NodeName=localhost Name=gpu File=/dev/null\n"


def missing() -> str | None:
    """Why there can be no toy Slurm here, if there can't."""
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        return f"{', '.join(lacking)} not found; on Debian: apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "it takes root to start Slurm's daemons"
    settings = SETTINGS / "slurm.conf"
    # One of ours may be left behind, by a run that was killed.
    if settings.exists() and not settings.read_text().startswith(SLURM_CONF.split()[0]):
        return f"{settings} is there: this machine has a Slurm of its own"
    return None


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout}")
    return done.stdout


def _stop(pid_file: Path) -> None:
    """End the daemon of this file, and wait until it is gone."""
    if not pid_file.exists():
        return
    process = int(pid_file.read_text())
    os.kill(process, signal.SIGTERM)
    for _ in range(100):
        if not Path(f"/proc/{process}").exists():
            return
        time.sleep(0.1)
    os.kill(process, signal.SIGKILL)


def jobs() -> list[dict[str, str]]:
    """What Slurm knows of every job: JobState, Comment, TresPerJob, ..."""
    lines = _run("scontrol", "show", "jobs", "--oneliner").splitlines()
    return [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]


def _wait_for(what: str, check: str, *command: str) -> None:
    for _ in range(60):
        if check in subprocess.run(command, capture_output=True, text=True, check=False).stdout:
            return
        time.sleep(0.5)
    raise OSError(f"{what} is not ready after 30 seconds")


def _cancel_all() -> None:
    """What is left of the jobs when a run was interrupted."""
    _run("scancel", "--user=root")
    for _ in range(60):
        if not _run("squeue", "--noheader"):
            return
        time.sleep(0.5)


@contextmanager
def toy_slurm(folder: Path) -> Iterator[None]:
    """Start it, with all its files in this folder; stop it and take away what else it needed."""
    with ExitStack() as stack:
        for name in ("state", "spool"):
            (folder / name).mkdir(parents=True)
        settings = {
            "slurm.conf": SLURM_CONF.format(folder=folder, host=socket.gethostname().split(".")[0]),
            "gres.conf": GRES_CONF,
        }
        for name, text in settings.items():
            stack.callback((SETTINGS / name).unlink, missing_ok=True)
            (SETTINGS / name).write_text(text)
        if subprocess.run(("munge", "-n"), capture_output=True, check=False).returncode:
            stack.callback(shutil.rmtree, MUNGE, ignore_errors=True)
            MUNGE.mkdir(exist_ok=True)
            shutil.chown(MUNGE, "munge", "munge")
            _run("runuser", "-u", "munge", "--", "munged", f"--pid-file={MUNGE}/munged.pid")
            stack.callback(_stop, MUNGE / "munged.pid")
        _run("slurmctld")
        stack.callback(_stop, folder / "slurmctld.pid")
        _run("slurmd", "-N", "localhost")
        stack.callback(_stop, folder / "slurmd.pid")
        _wait_for("the node", "idle", "sinfo", "--noheader", "--format=%T")
        stack.callback(_cancel_all)
        yield
