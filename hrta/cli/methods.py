"""The commands of the neighbouring papers' methods, and of their claims."""

from itertools import product
from typing import Annotated

import typer

from hrta.cli.jobs import run_command
from hrta.cli.options import (
    ConstantRateOption,
    CsvOption,
    DecayOption,
    ExperimentOption,
    HiddenOption,
    LogEveryOption,
    OpenmlOption,
    OutputOption,
    ParentOption,
    PointsOption,
    ProblemOption,
    ScaleOption,
    SeedsOption,
    StepsOption,
    TargetOption,
    TestPointsOption,
    WidthOption,
    WidthsOption,
    given_source,
    name_of,
)
from hrta.study.config.deep_specs import AdaptiveSpec, SlopesSpec
from hrta.study.config.theory_specs import AccelerationSpec
from hrta.study.config.training_specs import AlternationSpec, LbfgsSpec
from hrta.study.config.values import Activation, Adaptive, Dtype

app = typer.Typer(rich_markup_mode=None)


@app.command()
def anmin(
    context: typer.Context,
    problem: ProblemOption = "sine1d",
    width: WidthOption = 200,
    rounds: Annotated[int, typer.Option(min=0, help="Of two exact solves each.")] = 30,
    ridge: Annotated[float, typer.Option(help="lambda, positive.")] = 1e-3,
    leak: Annotated[float, typer.Option(help="Slope of the activation below 0.")] = 0.0,
    seeds: SeedsOption = 20,
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    csv: CsvOption = None,
    target: TargetOption = None,
    openml: OpenmlOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Train by exact alternating minimisation; losses are mean squares."""
    source = given_source(problem, points, test_points, csv, target, openml)
    run_command(context, AlternationSpec, problem=source)


@app.command()
def lbfgs(
    context: typer.Context,
    problem: ProblemOption = "sine1d",
    width: WidthOption = 200,
    evaluations: Annotated[int, typer.Option(min=1, help="Of the gradient, in all.")] = 1000,
    learning_rate: Annotated[
        float, typer.Option(help="The first step length that the line search tries.")
    ] = 1.0,
    history_size: Annotated[int, typer.Option(min=1, help="Pairs remembered.")] = 10,
    s: Annotated[float, typer.Option(help="Homotopy parameter.")] = 1.0,
    seeds: SeedsOption = 20,
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    csv: CsvOption = None,
    target: TargetOption = None,
    openml: OpenmlOption = None,
    dtype: Dtype = "float32",
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Train by L-BFGS with a strong-Wolfe line search."""
    source = given_source(problem, points, test_points, csv, target, openml)
    run_command(context, LbfgsSpec, problem=source)


@app.command()
def laaf(
    context: typer.Context,
    problem: ProblemOption = "jump1d",
    hidden: HiddenOption = "50,50,50,50",
    activation: Activation = "tanh",
    adaptive: Annotated[Adaptive, typer.Option(help="What has a slope.")] = "layer",
    scale: ScaleOption = 10.0,
    recovery: Annotated[float, typer.Option(help="Weight of slope recovery.")] = 0.0,
    steps: StepsOption = 2000,
    learning_rate: Annotated[float, typer.Option(help="At the first step.")] = 2e-4,
    decay: DecayOption = 1.0,
    seeds: SeedsOption = 5,
    log_every: LogEveryOption = 100,
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    csv: CsvOption = None,
    target: TargetOption = None,
    openml: OpenmlOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Train deep networks with locally adaptive activations; losses are mean squares."""
    source = given_source(problem, points, test_points, csv, target, openml)
    run_command(context, AdaptiveSpec, problem=source)


@app.command()
def slopes(
    context: typer.Context,
    problem: ProblemOption = "jump1d",
    adaptive: Annotated[
        list[str],
        typer.Option(help="What has a slope: none, layer or neuron, a variant each. Repeatable."),
    ] = ("none", "layer", "neuron"),
    recovery: Annotated[
        list[float], typer.Option(help="Weight of slope recovery. Repeatable: each with each.")
    ] = (0.0,),
    hidden: HiddenOption = "50,50,50,50",
    activation: Activation = "tanh",
    scale: ScaleOption = 10.0,
    steps: StepsOption = 15_000,
    solution_steps: Annotated[
        list[int],
        typer.Option("--solution-step", help="Step whose function is kept. Repeatable."),
    ] = (2000, 8000, 15_000),
    learning_rate: ConstantRateOption = 2e-4,
    seeds: SeedsOption = 5,
    log_every: LogEveryOption = 100,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Deep networks with adaptive slopes against fixed ones, from the same weights."""
    source = given_source(problem, points)
    variants = {
        f"{what}_{weight:g}" if weight else what: {"adaptive": what, "recovery": weight}
        for what, weight in product(adaptive, recovery)
    }
    name = experiment or name_of(source)
    run_command(context, SlopesSpec, problem=source, experiment=name, variants=variants)


@app.command()
def acceleration(
    context: typer.Context,
    problem: ProblemOption = "sine3d",
    widths: WidthsOption = (100, 1000),
    seeds: SeedsOption = 5,
    steps: Annotated[int, typer.Option(min=1, help="Of each optimizer.")] = 2000,
    step_fraction: Annotated[
        float, typer.Option(help="Learning rate in units of 1 over the largest eigenvalue.")
    ] = 0.5,
    log_every: LogEveryOption = 10,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Nesterov against heavy ball: inner weights alone, momentum from the Gram matrix."""
    source = given_source(problem, points)
    name = experiment or name_of(source)
    run_command(context, AccelerationSpec, problem=source, experiment=name)
