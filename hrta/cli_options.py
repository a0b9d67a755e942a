"""What the commands have in common: their options, and what is done with them."""

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hrta import datasets
from hrta.datasets import INCLUDED
from hrta.problems import Problem
from hrta.results import provenance, read_problem, write_json, write_table
from hrta.targets import TARGETS, make_problem

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


class EngineName(StrEnum):
    """What trains; auto is the fastest there is for the device."""

    auto = "auto"
    reference = "reference"
    cpu = "cpu"
    cuda = "cuda"


class Device(StrEnum):
    """Where to train; auto is a GPU where there is one."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


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


MethodOption = Annotated[
    list[str],
    typer.Option(help="NAME=S,S,...: the homotopy parameter of each stage. Repeatable."),
]
StageStepsOption = Annotated[int, typer.Option(min=1, help="Steps of each stage.")]
DEFAULT_METHODS = ["relu=1,1", "homotopy=0.5,1", "relaxation=1,1.5"]


def check_output(output: Path | None, problem: str = "") -> None:
    """Refuse before the work what could not be written after it, or would overwrite its input."""
    if output is None:
        return
    if output.suffix != ".parquet" or output.is_dir() or output == Path(problem):
        raise ValueError(
            f"--output {output}: it must be a file *.parquet, and not the problem itself"
        )
    folder = next(parent for parent in output.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ValueError(f"--output {output}: {folder} is no folder that can be written to")


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
    if problem in TARGETS:
        return make_problem(problem, points, test_points)
    if problem in INCLUDED:
        if points is not None:
            raise ValueError(f"--points: {problem} has its own; leave it out")
        return datasets.load(problem)
    if not problem.endswith(".parquet"):
        names = ", ".join([*TARGETS, *INCLUDED])
        raise ValueError(
            f"unknown problem {problem!r}; it must be a .parquet file made by `hrta data` or one "
            f"of {names}"
        )
    return read_problem(problem)


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
