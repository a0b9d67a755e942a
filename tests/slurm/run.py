"""The workflow on a real Slurm of one node, beside the same on this machine.

    python tests/slurm/run.py [TARGET ...]

As root, where Slurm's and munge's programs are installed and no Slurm runs.
"""

import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from toy_slurm import jobs, missing, toy_slurm

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))
from checkout import Checkout

from hrta.runtime.processes import end_on_sigterm

# A part of the replication with jobs of nearly all kinds.
TARGETS = [
    "figure_sine1d",
    "figure_spectra",
    "figure_rates_sine1d",
    "figure_poisson",
    "figure_anmin",
]
TRAINED = "results/runs/sine1d/adam/width8.parquet"
# Two cores, no accounting that could be asked how jobs ended, and no wait for a file system.
TOY = (
    *("--profile", "profiles/slurm", "--cores", "2", "--jobs", "10", "--set-threads", "train=1"),
    *("--latency-wait", "5", "--retries", "0", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "3"),
)
WITH_GPU = ("--set-resources", "train:gpu=1")


def check(good: bool, what: str) -> None:
    """Say what was found; end here where it is not good."""
    print(f"{'ok  ' if good else 'FAIL'} {what}", flush=True)
    if not good:
        sys.exit(1)


def timed(folder: Checkout, *targets: str, options: tuple) -> tuple[float, str]:
    """Seconds that a run took which must go well, and what it said."""
    started = time.monotonic()
    done = folder.snakemake(*targets, options=options)
    said = done.stdout + done.stderr
    if done.returncode:
        print(said)
    check(done.returncode == 0, f"{' '.join(options[:2])}: succeeded")
    return time.monotonic() - started, said


def compare(targets: list[str], folder: Path) -> None:
    """Run the targets here and on Slurm; the numbers must be the same."""
    for name in ("here", "there"):
        (folder / name).mkdir()
    here, there = Checkout(folder / "here"), Checkout(folder / "there")
    seconds_here, _ = timed(here, *targets, options=("--cores", "2"))
    with toy_slurm(folder / "slurm"):
        seconds_there, said = timed(there, *targets, options=(*TOY, *WITH_GPU))
        submitted = jobs()
        kinds = Counter(job["Comment"].partition("_wildcards_")[0] for job in submitted)
        ended = Counter(job["JobState"] for job in submitted)
        check(set(ended) == {"COMPLETED"}, f"{len(submitted)} submissions completed: {dict(kinds)}")
        trained = [job for job in submitted if "train" in job["Comment"]]
        with_gpu = [job for job in submitted if job.get("TresPerJob") == "gres:gpu:1"]
        check(trained == with_gpu != [], f"{len(trained)} of them trained, only they had the GPU")
        made, expected = there.numbers(), here.numbers()
        differing = [name for name in expected if made.get(name) != expected[name]]
        check(made.keys() == expected.keys() and not differing, f"{len(made)} files bit for bit")
        on_cuda = (*TOY, "--config", "device=cuda", "--forcerun", TRAINED)
        refused = there.snakemake(TRAINED, options=on_cuda)
        told = "there is no usable CUDA GPU here" in refused.stdout + refused.stderr
        check(refused.returncode != 0 and told, "device: cuda: the job itself finds no GPU")
    steps = re.search(r"of (\d+) steps \(100%\) done", said)[1]
    overhead = (seconds_there - seconds_here) / len(submitted)
    print(f"{steps} jobs of the workflow in {len(submitted)} submissions to Slurm")
    print(f"{seconds_here:.0f} s here, {seconds_there:.0f} s there: {overhead:.1f} s a submission")


def main() -> None:
    """Compare, or say in one line why that can't be."""
    why = missing()
    if why is not None:
        print(f"skipped: {why}")
        return
    end_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="toy-slurm-") as folder:
        compare(sys.argv[1:] or TARGETS, Path(folder))


if __name__ == "__main__":
    main()
