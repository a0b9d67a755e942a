"""The options of the commands that run jobs; an option has the same meaning in all commands."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from hrta.cli.paths import check_checkpoint, check_output
from hrta.problems.datasets import INCLUDED
from hrta.problems.poisson import MODES
from hrta.problems.targets import TARGETS
from hrta.runtime.processes import end_with
from hrta.study.config import values


def read_numbers(text: str) -> list[float]:
    """S,S,... as numbers."""
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"{text!r} must be numbers separated by commas") from None


def read_counts(text: str) -> list[int]:
    """M,M,... as integers."""
    if not all(part.isdigit() for part in text.split(",")):
        raise typer.BadParameter(f"{text!r} must be integers separated by commas")
    return [int(part) for part in text.split(",")]


def read_method(text: str) -> tuple[str, list[float]]:
    """NAME=S,S,... as the name and the s of each stage."""
    name, equals, numbers = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{text!r} must be NAME=S,S,..., such as relaxation=1,1.5")
    return name, read_numbers(numbers)


NAMES = ", ".join([*TARGETS, *INCLUDED])
PROBLEM = f"A file made by `hrta data`, or a name: {NAMES}."
ParentOption = Annotated[
    int | None,
    typer.Option(callback=end_with, hidden=True, help="Process whose exit ends this process."),
]
MarkBrokenOption = Annotated[
    bool,
    typer.Option(
        "--mark-broken",
        hidden=True,
        help="Let Snakemake make an input that cannot be read anew; in the folder of its run.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        callback=check_output,
        help="Parquet file to write, with the spec in a file *.json beside it and a second table, "
        "if the job has one, in *_tuning.parquet or *_solutions.parquet. By default a summary is "
        "printed.",
    ),
]
CheckpointOption = Annotated[
    Path | None,
    typer.Option(
        callback=check_checkpoint,
        help="File *.npz for the state, from which an interrupted job resumes; removed after the "
        "output is written.",
    ),
]


REQUIRED = inspect.Parameter.empty
METHODS = ["relu=1,1", "homotopy=0.5,1", "relaxation=1,1.5"]
# An annotation for Typer, and the default.
Option = tuple[object, object]


def _one(kind: type, default: object, text: str = "") -> Option:
    return Annotated[kind, typer.Option(help=text)], default


def _repeatable(item: type, default: list, flag: str, text: str) -> Option:
    return Annotated[list[item], typer.Option(flag, help=f"{text} Repeatable.")], default


def _list(default: str, metavar: str, read: Callable, text: str) -> Option:
    return Annotated[Sequence, typer.Option(parser=read, metavar=metavar, help=text)], default


# By name; a name with a dot is an option of one command.
OPTIONS: dict[str, Option] = {
    "output": (OutputOption, None),
    "checkpoint": (CheckpointOption, None),
    "parent": (ParentOption, None),
    "experiment": _one(str | None, None, "Name in the results; by default that of the problem."),
    # Points.
    "name": (Annotated[str, typer.Argument(help=f"One of {NAMES}.")], REQUIRED),
    "problem": _one(str, "sine1d", PROBLEM),
    "samples.problem": _one(str, "sine1d", f"One of {', '.join(TARGETS)}."),
    "problems": _repeatable(str, ["sine1d"], "--problem", PROBLEM),
    "points": _one(int | None, None, "Training points of a named problem, which has a default."),
    "samples.points": _repeatable(int, [10, 100, 1000], "--points", "Number of points."),
    "poisson.points": _one(int, 400, "Points of the quadrature."),
    "test_points": _one(int, 200, "Test points of a named problem."),
    "seed": _one(int, 0, "Seed of the test points."),
    "csv": _one(Path | None, None, "Data instead of a problem: a CSV file with a header."),
    "target": _one(
        str | None,
        None,
        "Column of the CSV file to predict. All other columns are inputs: a file with several "
        "targets needs a copy without the others.",
    ),
    "openml": _one(str | None, None, "Name of a data set of openml.org, instead of a problem."),
    "solution": (
        Annotated[str, typer.Option("--problem", help=f"One of {', '.join(MODES)}.")],
        "cosines",
    ),
    "quadrature": _one(
        values.QuadratureName, "grid", "Midpoints of a grid, or new random points at every step."
    ),
    # Networks.
    "methods": (
        Annotated[
            list[Sequence],
            typer.Option(
                "--method",
                parser=read_method,
                metavar="NAME=S,S,...",
                help="Name, and homotopy parameter of each stage. Repeatable.",
            ),
        ],
        METHODS,
    ),
    "entries": (
        Annotated[
            str,
            typer.Argument(
                metavar="METHODS",
                help="The methods with their grids by name, as YAML or JSON, or the path of a "
                "file: {mine: {method: {trainer: gradient, optimizer: adam, s: [1, 1.5]}, "
                "grid: {learning_rate: [0.001, 0.01]}}}. Trainers are gradient, perceptron, laaf, "
                "lbfgs and anmin.",
            ),
        ],
        REQUIRED,
    ),
    "s": _list("1,1.5", "S,S,...", read_numbers, "Homotopy parameters in [0, 2]."),
    "lbfgs.s": _one(float, 1.0, "Homotopy parameter in [0, 2]."),
    "width": _one(int, 200, "Neurons."),
    "widths": _repeatable(int, [100, 1000], "--width", "Neurons."),
    "hidden": _list("50,50,50,50", "M,M,...", read_counts, "Neurons of each hidden layer."),
    "seeds": _one(int, 20, "Number of initialisations: seeds 0, 1, ..."),
    "tuning_seeds": _one(int, 3, "Number of initialisations for tuning on the grid."),
    "activation": _one(values.Activation, "tanh"),
    "adaptive": _one(values.Adaptive, "layer", "What shares one slope."),
    "slopes.adaptive": _repeatable(
        str,
        ["none", "layer", "neuron"],
        "--adaptive",
        "What shares one slope: none, layer or neuron.",
    ),
    "scale": _one(float, 10.0, "n; n times the slope is 1 at the start."),
    "recovery": _one(float, 0.0, "Weight of slope recovery."),
    "slopes.recovery": _repeatable(float, [0.0], "--recovery", "Weight of slope recovery."),
    "fixed_outer": (
        Annotated[bool, typer.Option("--fixed-outer", help="Outer weights stay 1 or -1.")],
        False,
    ),
    # Training.
    "stage_steps": _one(int, 5000, "Steps of each stage."),
    "steps": _one(int, 2000, "Steps of each run."),
    "solution_steps": _repeatable(
        int, [2000, 8000, 15_000], "--solution-step", "Step after which predictions are kept."
    ),
    "rounds": _one(int, 30, "Rounds of two exact solves each."),
    "evaluations": _one(int, 1000, "Gradient evaluations on all points, for each run."),
    "optimizer": _one(values.OptimizerName, "adam"),
    "learning_rate": _one(float, 0.1, "At the first step; constant for jobs without decay."),
    "lbfgs.learning_rate": _one(float, 1.0, "The first step length that the line search tries."),
    "learning_rates": _repeatable(float, [1e-3], "--learning-rate", "At the first step."),
    "step_fraction": _one(float, 0.5, "Learning rate in units of 1 over the largest eigenvalue."),
    "momentum": _one(float, 0.9, "Momentum of heavy_ball and nesterov."),
    "decay": _one(float, 1.0, "Final over initial learning rate."),
    "batch_size": _one(int | None, None, "Points of an update; all by default."),
    "history_size": _one(int, 10, "Number of stored pairs of differences."),
    "ridge": _one(float, 1e-3, "Ridge parameter lambda, positive."),
    "leak": _one(float, 0.0, "Slope of the activation below 0."),
    "final_fraction": _one(
        float, 0.02, "Final fraction of the steps; the final loss is the median over it."
    ),
    "log_every": _one(int, 10, "Steps between logged losses."),
    "dtype": _one(values.Dtype, "float32"),
    "device": _one(values.Device, "auto"),
    "engine": _one(values.EngineName, "auto"),
}
