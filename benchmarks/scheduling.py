"""What Snakemake costs a sweep: the same ensembles as many jobs and as few, on one core.

make bench-scheduling
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from hrta.study.analysis.tables import save_table

ROOT = Path(__file__).parents[1]
# 40 of the sweep's ensembles, those of Adam.
PART = {
    "experiments": ["sine1d"],
    "widths": {"value": [20]},
    "learning_rates": {"adam": {"value": [0.0003, 0.001, 0.003, 0.01]}},
}
ENSEMBLES = 40


def main(
    output: Annotated[Path, typer.Option()] = Path("results/benchmarks_scheduling"),
) -> None:
    """Print and write the table: seconds to plan and to run, by the size of a batch."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        _seconds(folder, {}, ["data/sine1d.parquet"])
        for batch in (1, 5, ENSEMBLES):
            changes, jobs = PART | {"batch": batch}, ENSEMBLES // batch
            targets = [f"results/sweep/adam/batch{number:03}.parquet" for number in range(jobs)]
            # A batch of another size is another job of the same name: it is run again.
            planning = _seconds(folder, changes, targets, "--dry-run")
            rows.append((ENSEMBLES, batch, jobs, planning, _seconds(folder, changes, targets)))
        for batch in (1, 50):
            planning = _seconds(folder, {"batch": batch}, ["sweep"], "--dry-run")
            rows.append((1000, batch, 1000 // batch, planning, None))
    names = ["ensembles", "batch", "jobs", "planning_seconds", "seconds"]
    table = pd.DataFrame(rows, columns=names)
    together = table["seconds"][table["batch"] == ENSEMBLES].item()
    table["ratio"] = table["seconds"] / together
    output.mkdir(parents=True, exist_ok=True)
    save_table(table, table.round(2), output / "scheduling")
    print((output / "scheduling.md").read_text())


def _seconds(folder: str, changes: dict, targets: list[str], *options: str) -> float:
    """Seconds of a run in this folder, with these changes to the sweep's configuration."""
    changed = Path(folder, "changed.yaml")
    changed.write_text(json.dumps({"sweep": changes}))
    where = ["--snakefile", ROOT / "Snakefile", "--directory", folder]
    configured = ["--configfile", ROOT / "config/sweep.yaml", changed]
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *options, *where, *configured]
    started = time.perf_counter()
    done = subprocess.run([*command, "--", *targets], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"benchmark: snakemake failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - started


if __name__ == "__main__":
    typer.run(main)
