"""Kills a replication and its jobs at random moments, again and again; then nothing must differ.

`make chaos`, or python tests/workflow/chaos.py --kills 40 --seed 7.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from checkout import Checkout

CONFIG = ("config/smoke.yaml", "config/chaos.yaml")
# Of every kind that keeps checkpoints, and what is made of some of them.
TARGETS = (
    *("figure_learning_rates_sine3d", "figure_activations"),
    "results/poisson/poisson_grid.parquet",
    "results/poisson/poisson_monte_carlo.parquet",
    "results/race/descent.parquet",
)
# Who is killed, and how.
VICTIMS = ("job", "snakemake", "snakemake, politely", "everything")
GONE_ON = "jobs that went on from a checkpoint, at least"
# The longest time before a kill [s]; a run of all is some times longer.
PATIENCE = 35.0


def start(checkout: Checkout) -> psutil.Process:
    """The replication, in a process group of its own."""
    command = ["snakemake", "--cores", "2", "--configfile", *CONFIG, "--", *TARGETS]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return psutil.Popen(command, cwd=checkout.folder, start_new_session=True, **silent)


def kill(victim: str, running: psutil.Process, chance: random.Random) -> bool:
    """Whether there was such a victim; in any case the run has ended then."""
    hit = True
    if victim == "job":
        try:
            chance.choice([job for job in running.children(True) if "hrta" in job.cmdline()]).kill()
        except (IndexError, psutil.NoSuchProcess):
            hit = False
    if victim == "everything" or not hit:
        os.killpg(running.pid, signal.SIGKILL)
    elif victim != "job":
        running.send_signal(signal.SIGTERM if victim == "snakemake, politely" else signal.SIGKILL)
    running.wait()
    return hit


def resumed(checkout: Checkout) -> set[tuple[str, int]]:
    """Logs of jobs that did not begin at the beginning, and where they began."""
    logs = (checkout.folder / "logs").rglob("*.log")
    begun = {log: re.search(r": (\d+) of \d+$", log.read_text(), re.MULTILINE) for log in logs}
    return {(str(log), int(found[1])) for log, found in begun.items() if found and int(found[1])}


def finish(running: psutil.Process, checkout: Checkout, expected: dict) -> None:
    """Wait for a run that nobody kills, and compare."""
    if running.wait():
        raise SystemExit(f"chaos: a run that nobody killed ended with {running.returncode}")
    found = checkout.numbers()
    differing = [name for name in {**expected, **found} if found.get(name) != expected.get(name)]
    left = [path for path in (checkout.folder / "results").rglob("*") if path.name[0] == "."]
    left += (checkout.folder / "results/checkpoints").glob("*")
    if differing or left:
        raise SystemExit(f"chaos: other than undisturbed: {differing}; left behind: {left}")


def disturb(checkout: Checkout, expected: dict, kills: int, chance: random.Random) -> Counter:
    """Kill so often, beginning anew where a run comes to its end, then let it end: the counts."""
    counts, gone_on = Counter(), set()
    while sum(counts[victim] for victim in VICTIMS) < kills:
        running = start(checkout)
        time.sleep(chance.uniform(1, PATIENCE))
        victim = chance.choice(VICTIMS)
        if running.poll() is None:
            counts[victim] += kill(victim, running, chance)
            gone_on |= resumed(checkout)
        else:
            finish(running, checkout, expected)
            counts["runs that came to their end"] += 1
            forget(checkout)
    finish(start(checkout), checkout, expected)
    counts["runs that came to their end"] += 1
    counts[GONE_ON] = len(gone_on | resumed(checkout))
    return counts


def forget(checkout: Checkout) -> None:
    """Remove all that a run made, but not what was compiled: that time is not to be killed in."""
    made = ("figures", "tables", "results", "logs", "notebooks/executed", ".snakemake")
    for folder in made:
        shutil.rmtree(checkout.folder / folder, ignore_errors=True)
    for file in (checkout.folder / "data").glob("*.parquet*"):
        file.unlink()


def chaos(folder: Path, kills: int, seed: int) -> Counter:
    """An undisturbed run and a disturbed one, which must not differ in a bit."""
    checkout = Checkout(folder)
    if start(checkout).wait():
        raise SystemExit("chaos: the undisturbed run failed")
    expected = checkout.numbers()
    forget(checkout)
    return disturb(checkout, expected, kills, random.Random(seed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        counts = chaos(Path(made), arguments.kills, arguments.seed)
    for what, times in counts.items():
        print(f"{times:4d}  {what}")
    if not counts[GONE_ON]:
        raise SystemExit("chaos: no job went on from a checkpoint; try more kills")
    print("every result bit for bit as in the undisturbed run")
