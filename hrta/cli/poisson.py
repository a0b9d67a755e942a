"""The command `hrta poisson`: the Deep Ritz method, stage by stage."""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hrta.cli.options import (
    ON_THE_CPU,
    CheckpointOption,
    DecayOption,
    ExperimentOption,
    LogEveryOption,
    MethodOption,
    OutputOption,
    ParentOption,
    SeedsOption,
    StageStepsOption,
    WidthOption,
    check_checkpoint,
    check_outputs,
    give_result,
    given_methods,
)
from hrta.problems.poisson import MODES, make_problem
from hrta.runtime.processes import end_with
from hrta.runtime.progress import Progress

app = typer.Typer(rich_markup_mode=None)


class Quadrature(StrEnum):
    """How the energy is integrated."""

    grid = "grid"
    monte_carlo = "monte_carlo"


@app.command()
def poisson(
    problem: Annotated[str, typer.Option(help=f"One of {', '.join(MODES)}.")] = "cosines",
    width: WidthOption = 1000,
    method: MethodOption = ["relu2=1,1", "homotopy=0.5,1", "relaxation=1,1.5", "relaxed=1.5,1.5"],  # noqa: B006
    points: Annotated[int, typer.Option(min=1, help="Of the quadrature.")] = 400,
    quadrature: Annotated[
        Quadrature, typer.Option(help="The same midpoints at every step, or fresh random points.")
    ] = Quadrature.grid,
    stage_steps: StageStepsOption = 5000,
    learning_rate: Annotated[
        list[float], typer.Option(help="Adam's at the first step. Repeatable: each with each.")
    ] = [1e-3],  # noqa: B006
    decay: DecayOption = 1.0,
    seeds: SeedsOption = 20,
    log_every: LogEveryOption = 50,
    experiment: ExperimentOption = None,
    solutions: Annotated[
        Path | None, typer.Option(help="Parquet file for the functions found, too.")
    ] = None,
    output: OutputOption = None,
    checkpoint: CheckpointOption = None,
    parent: ParentOption = None,
) -> None:
    """Two-layer ReLU^2 networks that minimise the energy of a Poisson problem."""
    end_with(parent)
    check_outputs(output, solutions, [problem])
    check_checkpoint(checkpoint, output)
    given = make_problem(problem)
    methods, name = given_methods(method), experiment or given.name
    started = time.perf_counter()
    from hrta.runtime.files import write_table
    from hrta.study.experiments.poisson import ritz_table

    with Progress(f"{name}, Deep Ritz") as progress:
        runs, functions = ritz_table(
            *(given, name, methods, range(seeds), learning_rate, width, points, quadrature.value),
            *(stage_steps, decay, log_every, progress, checkpoint),
        )
    arguments = {"problem": problem, "methods": methods, "seeds": seeds, "width": width}
    arguments |= {"learning_rates": learning_rate, "points": points, "decay": decay}
    arguments |= {"quadrature": quadrature.value, "stage_steps": stage_steps}
    arguments |= {"log_every": log_every}
    if solutions is not None:
        write_table(functions, solutions)
    shown, by = ["energy", "l2_error", "h1_error"], ["method", "learning_rate"]
    give_result(runs, output, arguments, started, "step", shown, ON_THE_CPU, by)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
