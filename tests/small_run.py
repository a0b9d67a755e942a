"""A small workflow of two jobs, run by Snakemake, and its manifest."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"
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
    "arguments": {"width": 8, "seeds": [0, 1, 2, 3], "methods": {"relu": [1.0, 1.0]}},
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
    (folder / "CITATION.cff").write_text((SCRIPTS.parents[1] / "CITATION.cff").read_text())
    command = ["snakemake", "--cores", "1", "--quiet", "all"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    done = write_manifest(folder)
    assert done.returncode == 0, done.stderr


def write_manifest(folder: Path, jobs: list[dict] = JOBS) -> subprocess.CompletedProcess:
    """Run the script as the workflow does."""
    return run_script(
        *(folder, "write_manifest", "--jobs", json.dumps(jobs), "--configuration", "config.yaml"),
        *("--code", ".", "--output", "results/manifest/manifest.json"),
    )


def write_crate(folder: Path, output: str, *more: str) -> subprocess.CompletedProcess:
    """Run the script as the workflow does."""
    return run_script(
        *(folder, "write_crate", "results/manifest/manifest.json", "--code", "."),
        *("--more", "Snakefile", "README.md", "CITATION.cff", *more, "--output", output),
    )


def run_script(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPTS / f"{name}.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
