"""The command line: `hrta data`, `hrta train`, `hrta ntk`."""

import dataclasses
import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hrta.problems import Problem
from hrta.processes import end_on_sigterm, end_with
from hrta.progress import Progress
from hrta.results import provenance, read_problem, write_json, write_problem, write_table
from hrta.targets import TARGETS, make_problem

if TYPE_CHECKING:
    import pandas as pd

    from hrta.ensembles import Ensemble

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Homotopy relaxation training of two-layer networks (arXiv 2309.15244).",
)


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
    typer.Option(help=f"A file made by `hrta data`, or a name: {', '.join(TARGETS)}."),
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


@app.command()
def data(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(TARGETS)}.")],
    output: Annotated[Path, typer.Option(help="Parquet file to write.")],
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the test points.")] = 0,
) -> None:
    """Write a synthetic problem, with its SHA-256 beside it."""
    _check_output(output)
    write_problem(make_problem(name, points, test_points, seed), output)


@app.command()
def train(
    problem: ProblemOption = "sine1d",
    width: Annotated[int, typer.Option(min=1, help="Neurons.")] = 200,
    method: Annotated[
        list[str],
        typer.Option(help="NAME=S,S,...: the homotopy parameter of each stage. Repeatable."),
    ] = ["relu=1,1", "homotopy=0.5,1", "relaxation=1,1.5"],  # noqa: B006
    stage_steps: Annotated[int, typer.Option(min=1, help="Steps of each stage.")] = 5000,
    optimizer: Annotated[OptimizerName, typer.Option()] = OptimizerName.adam,
    learning_rate: Annotated[
        list[float], typer.Option(help="At the first step. Repeatable: each method with each.")
    ] = [1e-3],  # noqa: B006
    momentum: Annotated[float, typer.Option(help="Of heavy_ball and nesterov.")] = 0.9,
    decay: Annotated[float, typer.Option(help="Final over initial learning rate.")] = 1.0,
    seeds: SeedsOption = 20,
    log_every: Annotated[int, typer.Option(min=1, help="Steps between logged losses.")] = 10,
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    dtype: Annotated[Dtype, typer.Option()] = Dtype.float32,
    device: Annotated[Device, typer.Option()] = Device.auto,
    engine: Annotated[EngineName, typer.Option()] = EngineName.auto,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Train an ensemble: every method, learning rate and seed, from the same weights per seed."""
    end_with(parent)
    _check_output(output, problem)
    started = time.perf_counter()
    from hrta.ensembles import Ensemble, choose_device, train_ensemble

    chosen = choose_device(device)
    given = _problem(problem, points, test_points)
    ensemble = Ensemble(
        experiment=experiment or given.name,
        width=width,
        methods=_methods(method),
        stage_steps=stage_steps,
        seeds=list(range(seeds)),
        optimizer=optimizer.value,
        learning_rates=learning_rate,
        momentum=momentum,
        decay=decay,
        log_every=log_every,
        dtype=dtype.value,
        engine=engine.value,
    )
    label = f"{ensemble.experiment}, {ensemble.optimizer}, width {width}"
    with Progress(label) as progress:
        results, facts = train_ensemble(given, ensemble, chosen, progress)
    if output is None:
        print(_summary(results, ensemble))
    else:
        write_table(results, output)
        arguments = dataclasses.asdict(ensemble) | {"problem": problem}
        record = provenance(arguments, time.perf_counter() - started)
        record |= {"device": _device_name(chosen), "dtype": dtype.value} | facts
        write_json(record, output.with_suffix(".json"))
    for run in facts["diverged"]:
        print(
            f"{label}: {run['method']}, learning rate {run['learning_rate']:g}, seed "
            f"{run['seed']} diverged at step {run['step']}"
        )


@app.command()
def ntk(
    problem: ProblemOption = "sine1d",
    s: Annotated[str, typer.Option(help="Homotopy parameters in [0, 2]: S,S,...")] = "0.5,1,1.5,2",
    width: Annotated[
        list[int], typer.Option(min=1, help="Finite width at initialisation, too. Repeatable.")
    ] = [],  # noqa: B006
    seeds: SeedsOption = 20,
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Eigenvalues of the tangent Gram matrix on the training points, for each s."""
    end_with(parent)
    _check_output(output, problem)
    started = time.perf_counter()
    from hrta.ntk import spectra_table

    given = _problem(problem, points, test_points)
    s_values = _numbers("--s", s)
    name = experiment or given.name
    with Progress(f"{name}, spectra") as progress:
        spectra = spectra_table(given, name, s_values, width, range(seeds), progress)
    if output is None:
        print(_extremes(spectra))
    else:
        write_table(spectra, output)
        arguments = {"problem": problem, "s": s_values, "widths": width, "seeds": seeds}
        record = provenance(arguments, time.perf_counter() - started)
        record |= {"device": "cpu", "dtype": "float64"}
        write_json(record, output.with_suffix(".json"))


def _check_output(output: Path | None, problem: str = "") -> None:
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


def _problem(problem: str, points: int | None, test_points: int) -> Problem:
    if problem in TARGETS:
        return make_problem(problem, points, test_points)
    if not problem.endswith(".parquet"):
        names = ", ".join(TARGETS)
        raise ValueError(
            f"unknown problem {problem!r}; it must be a .parquet file made by `hrta data` or one "
            f"of {names}"
        )
    return read_problem(problem)


def _methods(given: list[str]) -> dict[str, list[float]]:
    methods = {}
    for text in given:
        name, equals, values = text.partition("=")
        if not name or not equals:
            raise ValueError(f"--method {text!r} must be NAME=S,S,..., such as relaxation=1,1.5")
        if name in methods:
            raise ValueError(f"--method {name!r} is there twice")
        methods[name] = _numbers(f"--method {name}", values)
    return methods


def _numbers(option: str, text: str) -> list[float]:
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        raise ValueError(f"{option}: {text!r} must be numbers with commas between") from None
    if not all(0 <= s <= 2 for s in numbers):
        raise ValueError(f"{option}: {text!r} must lie in [0, 2]")
    return numbers


def _summary(results: "pd.DataFrame", ensemble: "Ensemble") -> str:
    from hrta.statistics import final_losses

    final = final_losses(results)
    columns = final.columns.intersection(["loss", "test_loss"]).tolist()
    by = ["method", "learning_rate"] if len(ensemble.learning_rates) > 1 else ["method"]
    table = final.groupby(by, observed=True, sort=False)[columns].median()
    methods = table.index.get_level_values("method")
    table.insert(0, "s", [str(ensemble.methods[method]) for method in methods])
    return f"median final losses over {len(ensemble.seeds)} seeds\n{table.to_string()}"


def _extremes(spectra: "pd.DataFrame") -> str:
    runs = spectra.groupby(["kernel", "width", "seed", "s"], dropna=False)["eigenvalue"]
    extremes = runs.agg(["min", "max"]).reset_index()
    table = extremes.groupby(["kernel", "width", "s"], dropna=False, sort=False)[["min", "max"]]
    return f"smallest and largest eigenvalue, median over seeds\n{table.median().to_string()}"


def _device_name(device: object) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def main() -> None:
    """Run the command line; a mistake of the user's ends in one line and a non-zero exit."""
    end_on_sigterm()
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False))
    except typer.TyperException as error:
        print(f"hrta: {error.format_message()}", file=sys.stderr)
        sys.exit(2)
    except (ValueError, OSError) as error:
        print(f"hrta: {error}", file=sys.stderr)
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        # torch reports what it cannot allocate, on CPU and GPU, as RuntimeErrors.
        if not isinstance(error, MemoryError) and "alloc" not in str(error):
            raise
        print("hrta: not enough memory for this width, number of seeds and points", file=sys.stderr)
        sys.exit(1)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
