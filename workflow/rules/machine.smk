# The machines: one run at a time in a folder, where jobs run, what they may use.

import fcntl
import shlex
import shutil
import socket
import subprocess


def clear_stale_lock():
    """Remove the lock of a run that was killed.

    Every live run in this folder holds a shared lock on a file of ours, which the kernel takes
    back when the run ends in whatever way. Where nobody holds one, a lock of Snakemake's is stale;
    unless the run was one of another host: some network file systems keep such locks within a host,
    and some have none at all. There Snakemake's lock counts, and `snakemake --unlock` removes it.
    """
    folder, host = Path(".snakemake"), socket.gethostname()
    folder.mkdir(exist_ok=True)
    presence = open(folder / "running", "a+")
    try:
        fcntl.flock(presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
        presence.seek(0)
        if presence.read() in ("", host) or not any(folder.glob("locks/*")):
            shutil.rmtree(folder / "locks", ignore_errors=True)
            (folder / "locks").mkdir()
            presence.truncate(0)
            presence.write(host)
            presence.flush()
    except BlockingIOError:
        pass  # another run is alive: its lock counts
    except OSError:
        return presence
    fcntl.flock(presence, fcntl.LOCK_SH)
    return presence


if workflow.is_main_process:
    presence = clear_stale_lock()  # held until this process ends


def usable_gpu():
    """Whether torch sees a GPU; only asked where there is a driver, for torch is slow to import."""
    if shutil.which("nvidia-smi") is None:
        return False
    ask = "import torch; raise SystemExit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", ask], stderr=subprocess.DEVNULL).returncode == 0


# Whether jobs run on other machines than this: with --jobs and an executor that submits them, and
# in the jobs that it has submitted.
SUBMITTED = workflow.resource_settings.nodes is not None or workflow.remote_exec
# 1 where training uses a GPU, for the jobs that declare it, else 0. What other machines have is not
# known here: there a GPU is used if it is asked for, and the job that finds none says so.
GPU = int(settings.device == "cuda" if SUBMITTED else settings.device != "cpu" and usable_gpu())
if settings.device == "cuda" and not GPU:
    sys.exit("config: device: 'cuda' given; there is no usable CUDA GPU here, use 'auto' or 'cpu'")
workflow.global_resources.setdefault("gpu", 1)
# What trains; the package imports only that one.
ENGINE = settings.engine if settings.engine != "auto" else ("triton" if GPU else "numba")

# Jobs run with this interpreter and this package, whatever is active or installed, and see no GPU
# that is not meant for them.
shell.prefix(
    f"export PYTHONPATH={shlex.quote(workflow.basedir)};"
    f" export PATH={shlex.quote(os.path.dirname(sys.executable))}:$PATH; "
    + ("" if GPU else "export CUDA_VISIBLE_DEVICES=; ")
)


def more_each_try(first):
    """So much memory or time at the first try, twice as much at the second, and so on."""
    return lambda wildcards, attempt: first * attempt
