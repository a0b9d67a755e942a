"""What the commands have in common: their options, and what is done with them."""

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hrta.problems import datasets
from hrta.problems.datasets import INCLUDED
from hrta.problems.files import read_problem
from hrta.problems.problem import Problem
from hrta.problems.targets import TARGETS, make_problem
from hrta.runtime.files import write_json, write_table
from hrta.runtime.provenance import provenance

if TYPE_CHECKING:
    import pandas as pd


class OptimizerName(StrEnum):
    """The optimizers that `hrta.train` knows."""

    gradient_descent = "gradient_descent"
    heavy_ball = "heavy_ball"
    nesterov = "nesterov"
    adam = "adam"


class Dtype(StrEnum):
    """The precision of training."""

    float32 = "float32"
    float64 = "float64"


class Activation(StrEnum):
    """What a slope is given to."""

    tanh = "tanh"
    relu = "relu"


class Adaptive(StrEnum):
    """What has a slope of its own."""

    none = "none"
    layer = "layer"
    neuron = "neuron"


class EngineName(StrEnum):
    """What trains; auto is the fastest there is for the device."""

    auto = "auto"
    torch = "torch"
    numba = "numba"
    triton = "triton"


class Device(StrEnum):
    """Where to train; auto is a GPU where there is one."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


# Where what knows no GPU computes.
ON_THE_CPU = {"device": "cpu", "dtype": "float32"}
ProblemOption = Annotated[
    str,
    typer.Option(
        help=f"A file made by `hrta data`, or a name: {', '.join([*TARGETS, *INCLUDED])}."
    ),
]
PointsOption = Annotated[
    int | None, typer.Option(min=1, help="Training points of a named problem; it has a default.")
]
TestPointsOption = Annotated[int, typer.Option(min=1, help="Test points of a named problem.")]
ExperimentOption = Annotated[
    str | None, typer.Option(help="What the results call it; the problem's name by default.")
]
SeedsOption = Annotated[int, typer.Option(min=1, help="Number of initialisations: seeds 0, 1, ...")]
OutputOption = Annotated[
    Path | None, typer.Option(help="Parquet file to write; without it a summary is printed.")
]
ParentOption = Annotated[
    int | None, typer.Option(hidden=True, help="Process whose end ends this one.")
]


CheckpointOption = Annotated[
    Path | None,
    typer.Option(
        help="File *.npz to keep the state in, and to go on from after an interruption; removed "
        "once the output is written."
    ),
]


MethodOption = Annotated[
    list[str],
    typer.Option(help="NAME=S,S,...: the homotopy parameter of each stage. Repeatable."),
]
LogEveryOption = Annotated[int, typer.Option(min=1, help="Steps between logged losses.")]
ActivationOption = Annotated[Activation, typer.Option()]
ScaleOption = Annotated[float, typer.Option(help="n; at the start n times the slope is 1.")]
WidthOption = Annotated[int, typer.Option(min=1, help="Neurons.")]
MomentumOption = Annotated[float, typer.Option(help="Of heavy_ball and nesterov.")]
DecayOption = Annotated[float, typer.Option(help="Final over initial learning rate.")]
CsvOption = Annotated[
    Path | None, typer.Option(help="Your data instead of a problem: a CSV file with a header.")
]
TargetOption = Annotated[str | None, typer.Option(help="The CSV file's column to predict.")]
OpenmlOption = Annotated[
    str | None, typer.Option(help="A data set of openml.org by name instead of a problem.")
]
StageStepsOption = Annotated[int, typer.Option(min=1, help="Steps of each stage.")]
DEFAULT_METHODS = ["relu=1,1", "homotopy=0.5,1", "relaxation=1,1.5"]


def check_output(output: Path | None, problem: str = "") -> None:
    """Refuse before the work what could not be written after it, or would overwrite its input."""
    if output is None:
        return
    _check_file("--output", output, ".parquet")
    if output == Path(problem):
        raise ValueError(f"--output {output}: it must be another file, and not the problem itself")


def check_outputs(first: Path | None, second: Path | None, problems: list[str]) -> None:
    """`check_output` of two files, which must differ, against all problems."""
    for output in (first, second):
        for problem in problems:
            check_output(output, problem)
    if first is not None and first == second:
        raise ValueError(f"--output {first}: it is asked for twice; give each table its own file")


def check_checkpoint(checkpoint: Path | None, output: Path | None) -> None:
    """Refuse a checkpoint that nothing would remove, or that is no file to write."""
    if checkpoint is None:
        return
    if output is None:
        raise ValueError(f"--checkpoint {checkpoint}: it goes with --output")
    _check_file("--checkpoint", checkpoint, ".npz")


def _check_file(option: str, path: Path, suffix: str) -> None:
    if path.suffix != suffix or path.is_dir():
        raise ValueError(f"{option} {path}: it must be a file *{suffix}")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ValueError(f"{option} {path}: {folder} is no folder that can be written to")


def write_result(
    table: "pd.DataFrame",
    output: Path,
    arguments: dict[str, object],
    started: float,
    facts: dict[str, object],
) -> None:
    """The table, and beside it what it came from; `started` is that of time.perf_counter."""
    write_table(table, output)
    record = provenance(arguments, time.perf_counter() - started)
    write_json(record | facts, output.with_suffix(".json"))


def give_result(
    table: "pd.DataFrame",
    output: Path | None,
    arguments: dict[str, object],
    started: float,
    clock: str,
    shown: list[str],
    facts: dict[str, object] = ON_THE_CPU,
    by: list[str] | None = None,
) -> None:
    """Write the table, or print the medians over seeds of where each run ended."""
    if output is not None:
        write_result(table, output, arguments, started, facts)
        return
    last = table.sort_values(clock, kind="stable").groupby([*(by or []), "seed"], dropna=False)
    ends = last[[clock, *shown]].last()
    medians = ends.groupby(by, dropna=False, sort=False).median() if by else ends.median()
    seeds = table["seed"].nunique()
    print(f"where the runs ended, median over {seeds} seeds\n{medians.to_string()}")


def device_name(device: object) -> str:
    """What a result says of the torch device that it was computed on."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def losses_of(table: "pd.DataFrame") -> list[str]:
    """The names of the columns that are losses."""
    return table.columns.intersection(["loss", "test_loss"]).tolist()


def given_data(csv: Path | None, target: str | None, openml: str | None) -> Problem | None:
    """Real data from a CSV file or OpenML, if they are asked for."""
    if (csv is None) != (target is None):
        raise ValueError("--csv and --target go together")
    if csv is not None and openml is not None:
        raise ValueError("--csv and --openml: there can be only one of them")
    if csv is not None:
        return datasets.read_csv(csv, target)
    return None if openml is None else datasets.fetch_openml(openml)


def given_problem(problem: str, points: int | None, test_points: int) -> Problem:
    """A problem from a file, or by its name."""
    if problem.endswith(".parquet"):
        return read_problem(problem)
    return named_problem(problem, points, test_points)


def named_problem(name: str, points: int | None, test_points: int, seed: int = 0) -> Problem:
    """A synthetic problem, or a set of real data."""
    if name in INCLUDED:
        if points is not None:
            raise ValueError(f"--points: {name} has its own; leave it out")
        return datasets.load(name, seed)
    if name in TARGETS:
        return make_problem(name, points, test_points, seed)
    names = ", ".join([*TARGETS, *INCLUDED])
    raise ValueError(
        f"unknown problem {name!r}; it must be a .parquet file made by `hrta data` or one of "
        f"{names}"
    )


def given_methods(given: list[str]) -> dict[str, list[float]]:
    """NAME=S,S,... as a mapping."""
    methods = {}
    for text in given:
        name, equals, values = text.partition("=")
        if not name or not equals:
            raise ValueError(f"--method {text!r} must be NAME=S,S,..., such as relaxation=1,1.5")
        if name in methods:
            raise ValueError(f"--method {name!r} is there twice")
        methods[name] = given_numbers(f"--method {name}", values)
    return methods


def given_numbers(option: str, text: str) -> list[float]:
    """S,S,... as homotopy parameters."""
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        raise ValueError(f"{option}: {text!r} must be numbers with commas between") from None
    if not all(0 <= s <= 2 for s in numbers):
        raise ValueError(f"{option}: {text!r} must lie in [0, 2]")
    return numbers


def given_counts(option: str, text: str) -> list[int]:
    """M,M,... as whole numbers of at least 1."""
    if not all(part.isdigit() and int(part) for part in text.split(",")):
        raise ValueError(f"{option}: {text!r} must be whole numbers with commas between")
    return [int(part) for part in text.split(",")]
