"""The command `hrta poisson`: the Deep Ritz method, stage by stage."""

from typing import Annotated

import typer

from hrta.cli.jobs import run_command
from hrta.cli.options import (
    CheckpointOption,
    DecayOption,
    ExperimentOption,
    LearningRatesOption,
    LogEveryOption,
    MethodsOption,
    OutputOption,
    ParentOption,
    SeedsOption,
    StageStepsOption,
    WidthOption,
)
from hrta.problems.poisson import MODES
from hrta.study.config.deep_specs import PoissonSpec
from hrta.study.config.values import QuadratureName

app = typer.Typer(rich_markup_mode=None)


@app.command()
def poisson(
    context: typer.Context,
    solution: Annotated[
        str, typer.Option("--problem", help=f"One of {', '.join(MODES)}.")
    ] = "cosines",
    width: WidthOption = 1000,
    methods: MethodsOption = ("relu2=1,1", "homotopy=0.5,1", "relaxation=1,1.5", "relaxed=1.5,1.5"),
    points: Annotated[int, typer.Option(min=1, help="Of the quadrature.")] = 400,
    quadrature: Annotated[
        QuadratureName,
        typer.Option(help="The same midpoints at every step, or fresh random points."),
    ] = "grid",
    stage_steps: StageStepsOption = 5000,
    learning_rates: LearningRatesOption = (1e-3,),
    decay: DecayOption = 1.0,
    seeds: SeedsOption = 20,
    log_every: LogEveryOption = 50,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    checkpoint: CheckpointOption = None,
    parent: ParentOption = None,
) -> None:
    """Two-layer ReLU^2 networks that minimise the energy of a Poisson problem."""
    run_command(context, PoissonSpec, experiment=experiment or solution)
