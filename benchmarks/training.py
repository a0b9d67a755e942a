"""Time the engines and other implementations: `make bench`; for options `--help`.

On every case the engines, the naive implementation, torch's BLAS and JAX are timed in turn, several
times. The output folder gets every timing (benchmark.parquet), the machine (benchmark.json), a
table (benchmark.md) and two figures.
"""

import os
import sys
import time
from contextlib import nullcontext
from dataclasses import astuple
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numba
import pandas as pd
import torch
import typer

from benchmarks import jax_workers, limit, report
from benchmarks.cases import Case, growth, side_by_side
from benchmarks.jax_workers import JaxError, JaxWorkers
from benchmarks.peers import Contender, Ensemble, rivals
from benchmarks.timing import time_case
from hrta.runtime.files import write_json, write_table
from hrta.runtime.progress import Progress
from hrta.runtime.provenance import provenance
from hrta.training.engines.choice import COMPILED

ROOT = Path(__file__).parents[1]


class Device(StrEnum):
    """Where to train."""

    cpu = "cpu"
    cuda = "cuda"


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def benchmark(
    device: Annotated[Device, typer.Option(help="Where to train.")] = Device.cpu,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, timed once.")] = False,
    only_side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="Without the sizes at which only engines run.")
    ] = False,
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(
        "results/benchmarks_training"
    ),
    jax_python: Annotated[Path, typer.Option(help="Python that has JAX.")] = ROOT
    / ".venv-jax/bin/python",
) -> None:
    """Time the engines, JAX, torch's BLAS and the naive implementation on the same problem."""
    if device is Device.cuda and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch must find a CUDA GPU; it finds none")
    output.mkdir(parents=True, exist_ok=True)
    started, load = time.perf_counter(), os.getloadavg()
    cores = torch.get_num_threads()
    rate = _rate(device, cores)
    with _jax(jax_python, device, cores) as jax:
        raw = time_all(device, cores, jax, quick, growing=not only_side_by_side)
        jax_version = jax.version if jax else None
    rate = max(rate, _rate(device, cores))
    write_table(raw, output / "benchmark.parquet")
    record = {"device": device, "quick": quick} | provenance(time.perf_counter() - started)
    record["versions"] |= {"numba": numba.__version__, "jax": jax_version}
    record |= {
        "cores": cores,
        "gpu": torch.cuda.get_device_name() if device is Device.cuda else None,
        "multiply_adds_per_second": rate,
        "load_before": load,
        "load_after": os.getloadavg(),
    }
    write_json(record, output / "benchmark.json")
    print(report.write(raw, record, output))


def time_all(
    device: Device, cores: int, jax: JaxWorkers | None, quick: bool, *, growing: bool
) -> pd.DataFrame:
    """The raw table: every timing of every contender on every case."""
    everyone, engines = side_by_side(device, quick), growth(device, quick) if growing else []
    # Sorted by size, so that adjacent points of a figure are timed under similar conditions.
    cases = sorted(everyone + engines, key=astuple)
    rows = []
    with Progress("benchmark") as progress:
        for done, case in enumerate(cases):
            progress(done, len(cases))
            full = case in everyone
            repeats, target = (1, 0.03) if quick else (5, 0.2) if full else (3, 0.1)
            contenders = _contenders(case, device.value, cores, jax, full)
            rows += time_case(case, contenders, device.value, repeats, target)
        progress(len(cases), len(cases))
    return pd.DataFrame(rows)


def _contenders(
    case: Case, device: str, cores: int, jax: JaxWorkers | None, full: bool
) -> list[Contender]:
    """The contenders of a case: all, or the engines and the usually fastest variants of JAX."""
    start = case.make(device)
    contenders = [Ensemble(engine, start, cores) for engine in (COMPILED[device], "torch")]
    if full:
        contenders += rivals(start, device, cores)
    if jax is not None:
        contenders += jax.contenders(start, jax_workers.variants(device, full))
    return contenders


def _jax(python: Path, device: Device, cores: int) -> JaxWorkers | nullcontext:
    try:
        return JaxWorkers(python, device.value, cores)
    except JaxError as reason:
        print(f"benchmark: JAX is left out: {reason}", file=sys.stderr)
        return nullcontext()


def _rate(device: Device, cores: int) -> float:
    return limit.cuda_rate() if device is Device.cuda else limit.cpu_rate(cores)


def main() -> None:
    """Run the command; an error is one line and a non-zero exit status."""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as error:
        print(f"benchmark: {error.format_message()}", file=sys.stderr)
        sys.exit(2)
    except (ValueError, OSError, JaxError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        sys.exit(1)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
