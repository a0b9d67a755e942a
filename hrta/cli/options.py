"""The options of the commands that make specs, and what they are read as."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from hrta.problems.datasets import INCLUDED
from hrta.problems.targets import TARGETS
from hrta.runtime.processes import end_with
from hrta.study.config.problem_sources import (
    CsvTable,
    DataSet,
    OpenmlData,
    ProblemSource,
    SampledProblem,
    StoredProblem,
)

Stages = tuple[str, list[float]]


def read_numbers(text: str) -> list[float]:
    """S,S,... as numbers."""
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r} must be numbers separated by commas") from None


def read_method(text: str) -> Stages:
    """NAME=S,S,... as the name and the s of each stage."""
    name, equals, values = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{text!r} must be NAME=S,S,..., such as relaxation=1,1.5")
    return name, read_numbers(values)


def by_name(methods: Sequence[Stages]) -> dict[str, list[float]]:
    """The s of each method, every name once."""
    names = [name for name, _ in methods]
    for name in names:
        if names.count(name) > 1:
            raise typer.BadParameter(f"{name!r} is given twice")
    return dict(methods)


def check_output(output: Path | None) -> Path | None:
    """Refuse before the work what could not be written after it."""
    return output and _check_file(output, ".parquet")


def check_checkpoint(checkpoint: Path | None) -> Path | None:
    """Refuse before the work what is no checkpoint that can be written."""
    return checkpoint and _check_file(checkpoint, ".npz")


def _check_file(path: Path, suffix: str) -> Path:
    if path.suffix != suffix or path.is_dir():
        raise typer.BadParameter(f"{path} must be a file *{suffix}")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise typer.BadParameter(f"{path}: {folder} is no folder that can be written to")
    return path


# What jobs begin and end with.
OutputOption = Annotated[
    Path | None,
    typer.Option(
        callback=check_output,
        help="Parquet file to write, with the spec in a file *.json beside it, and a second table, "
        "where there is one, in a file *_tuning.parquet or *_solutions.parquet. Without it a "
        "summary is printed.",
    ),
]
CheckpointOption = Annotated[
    Path | None,
    typer.Option(
        callback=check_checkpoint,
        help="File *.npz to keep the state in, and to go on from after an interruption; removed "
        "once the output is written.",
    ),
]
ParentOption = Annotated[
    int | None,
    typer.Option(callback=end_with, hidden=True, help="Process whose end ends this one."),
]

# Problems.
NAMES = ", ".join([*TARGETS, *INCLUDED])
PROBLEM_HELP = f"A file made by `hrta data`, or a name: {NAMES}."
ProblemOption = Annotated[str, typer.Option(help=PROBLEM_HELP)]
ProblemsOption = Annotated[list[str], typer.Option("--problem", help=f"{PROBLEM_HELP} Repeatable.")]
PointsOption = Annotated[
    int | None, typer.Option(min=1, help="Training points of a named problem; it has a default.")
]
TestPointsOption = Annotated[int, typer.Option(min=1, help="Test points of a named problem.")]
ExperimentOption = Annotated[
    str | None, typer.Option(help="Name in the results; that of the problem by default.")
]
CsvOption = Annotated[
    Path | None, typer.Option(help="Your data instead of a problem: a CSV file with a header.")
]
TargetOption = Annotated[str | None, typer.Option(help="The CSV file's column to predict.")]
OpenmlOption = Annotated[
    str | None, typer.Option(help="A data set of openml.org by name instead of a problem.")
]

# Networks and training.
MethodsOption = Annotated[
    list[Sequence],
    typer.Option(
        "--method",
        parser=read_method,
        callback=by_name,
        metavar="NAME=S,S,...",
        help="Name, and homotopy parameter of each stage. Repeatable.",
    ),
]
DEFAULT_METHODS = ["relu=1,1", "homotopy=0.5,1", "relaxation=1,1.5"]
ParametersOption = Annotated[
    Sequence,
    typer.Option(parser=read_numbers, metavar="S,S,...", help="Homotopy parameters in [0, 2]."),
]
HiddenOption = Annotated[
    Sequence, typer.Option(parser=read_numbers, metavar="M,M,...", help="Neurons of each layer.")
]
WidthOption = Annotated[int, typer.Option(min=1, help="Neurons.")]
WidthsOption = Annotated[list[int], typer.Option("--width", min=1, help="Neurons. Repeatable.")]
StageStepsOption = Annotated[int, typer.Option(min=1, help="Steps of each stage.")]
StepsOption = Annotated[int, typer.Option(min=1, help="Steps of Adam.")]
LearningRatesOption = Annotated[
    list[float],
    typer.Option("--learning-rate", help="At the first step. Repeatable: each method with each."),
]
ConstantRateOption = Annotated[float, typer.Option(help="Constant.")]
MomentumOption = Annotated[float, typer.Option(help="Of heavy_ball and nesterov.")]
DecayOption = Annotated[float, typer.Option(help="Final over initial learning rate.")]
ScaleOption = Annotated[float, typer.Option(help="n; at the start n times the slope is 1.")]
SeedsOption = Annotated[int, typer.Option(min=1, help="Number of initialisations: seeds 0, 1, ...")]
LogEveryOption = Annotated[int, typer.Option(min=1, help="Steps between logged losses.")]


def given_source(
    problem: str,
    points: int | None = None,
    test_points: int = 200,
    csv: Path | None = None,
    target: str | None = None,
    openml: str | None = None,
    seed: int = 0,
) -> ProblemSource:
    """Where the points come from: a CSV file or OpenML, if asked for, else a file or a name.

    Raises:
        ValueError: options that do not go together, or an unknown name.
    """
    if (csv is None) != (target is None):
        raise ValueError("--csv and --target go together")
    if csv is not None and openml is not None:
        raise ValueError("--csv and --openml: there can be only one of them")
    if csv is not None:
        return CsvTable(file=str(csv), target=target)
    if openml is not None:
        return OpenmlData(name=openml)
    if problem.endswith(".parquet"):
        return StoredProblem(file=problem)
    if problem in INCLUDED:
        if points is not None:
            raise ValueError(f"--points: {problem} has its own; leave it out")
        return DataSet(name=problem, seed=seed)
    if problem in TARGETS:
        return SampledProblem(name=problem, points=points, test_points=test_points, seed=seed)
    raise ValueError(
        f"unknown problem {problem!r}; it must be a .parquet file made by `hrta data` or one of "
        f"{NAMES}"
    )


def name_of(source: ProblemSource) -> str:
    """What results call a problem: its own name, or that of its file."""
    return Path(source.file).stem if isinstance(source, StoredProblem | CsvTable) else source.name
