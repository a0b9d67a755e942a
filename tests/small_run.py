"""A small workflow of two jobs, run by Snakemake, and its manifest."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# More than Snakemake takes a checksum of.
LARGE = 1_200_000
SNAKEFILE = """
rule all:
    input: "figures/f.png"

rule result:
    input: "source.py", "large.bin"
    output: table="results/r.parquet", record="results/r.json"
    log: "logs/r.log"
    benchmark: "benchmarks/r.tsv"
    shell: "echo rows > {output.table} && cp record.json {output.record}"

rule figure:
    input: "results/r.parquet", "source.py"
    output: "figures/f.png", "figures/f.pdf"
    shell: "echo drawn | tee {output}"
"""
RECORD = {
    "spec": {"job": "train", "width": 8, "seeds": 4, "methods": {"relu": [1.0, 1.0]}},
    "versions": {"python": "3.11.0", "torch": "2.6.0"},
    "cpu": "some processor",
    "wall_time": 2.5,
    "device": "cpu",
    "dtype": "float32",
}
JOBS = [
    {"rule": "figure", "outputs": ["figures/f.png", "figures/f.pdf"]},
    {
        "rule": "result",
        "outputs": ["results/r.parquet", "results/r.json"],
        "benchmark": "benchmarks/r.tsv",
    },
]


def make_run(folder: Path) -> None:
    """A folder in which the workflow has been run, with all that a crate needs besides."""
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "source.py").write_text("sigma = 1\n")
    (folder / "large.bin").write_bytes(b"x" * LARGE)
    (folder / "record.json").write_text(json.dumps(RECORD))
    (folder / "config.yaml").write_text("seeds: 4\n")
    (folder / "README.md").write_text("# A small run\n")
    (folder / "CITATION.cff").write_text((ROOT / "CITATION.cff").read_text())
    command = ["snakemake", "--cores", "1", "--quiet", "all"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    done = write_manifest(folder)
    assert done.returncode == 0, done.stderr


def write_manifest(folder: Path, jobs: list[dict] = JOBS) -> subprocess.CompletedProcess:
    """Run the command as the workflow does."""
    return run_command(
        *(folder, "manifest", json.dumps(jobs), "config.yaml"),
        *("--code", ".", "--output", "results/manifest/manifest.json"),
    )


def write_crate(folder: Path, output: str, *more: str) -> subprocess.CompletedProcess:
    """Run the command as the workflow does."""
    return run_command(
        *(folder, "crate", "results/manifest/manifest.json", "Snakefile", "README.md"),
        *("CITATION.cff", *more, "--code", ".", "--output", output),
    )


def run_command(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run a command that only the workflow runs."""
    command = [sys.executable, "-m", "hrta.study.pipeline", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
