"""The commands of the neighbouring papers' methods: `hrta anmin`, `hrta lbfgs`, `hrta laaf`.

Each writes one tidy table; without --output it prints what the table comes to.
"""

import time
from typing import Annotated

import typer

from hrta.cli.options import (
    ON_THE_CPU,
    Activation,
    ActivationOption,
    Adaptive,
    CsvOption,
    DecayOption,
    Dtype,
    LogEveryOption,
    OpenmlOption,
    OutputOption,
    ParentOption,
    PointsOption,
    ProblemOption,
    ScaleOption,
    SeedsOption,
    TargetOption,
    TestPointsOption,
    WidthOption,
    check_output,
    give_result,
    given_counts,
    given_data,
    given_problem,
    losses_of,
)
from hrta.runtime.processes import end_with
from hrta.runtime.progress import Progress

app = typer.Typer(rich_markup_mode=None)


@app.command()
def anmin(
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
    end_with(parent)
    check_output(output, problem)
    started = time.perf_counter()
    from hrta.study.experiments.alternation import anmin_table

    given = given_data(csv, target, openml) or given_problem(problem, points, test_points)
    with Progress(f"{given.name}, anmin, width {width}") as progress:
        table = anmin_table(given, width, range(seeds), rounds, ridge, leak, progress)
    losses = [name for name in table if name.endswith("loss")]
    arguments = {"problem": str(csv or openml or problem), "width": width, "rounds": rounds}
    arguments |= {"ridge": ridge, "leak": leak, "seeds": seeds}
    arguments |= {"points": points, "test_points": test_points}
    facts = ON_THE_CPU | {"dtype": "float64"}
    give_result(table, output, arguments, started, "round", losses, facts)


@app.command()
def lbfgs(
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
    dtype: Annotated[Dtype, typer.Option()] = Dtype.float32,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Train by L-BFGS with a strong-Wolfe line search."""
    end_with(parent)
    check_output(output, problem)
    started = time.perf_counter()
    from hrta.networks.two_layer import TwoLayer
    from hrta.study.experiments.ensembles import DTYPES
    from hrta.training.lbfgs import train

    given = given_data(csv, target, openml) or given_problem(problem, points, test_points)
    start = TwoLayer.initialise(range(seeds), given.inputs, width, DTYPES[dtype])
    with Progress(f"{given.name}, lbfgs, width {width}") as progress:
        table, _ = train(given, start, evaluations, learning_rate, history_size, s, progress)
    table = table.rename(columns={"run": "seed"})
    arguments = {"problem": str(csv or openml or problem), "width": width, "seeds": seeds, "s": s}
    arguments |= {"learning_rate": learning_rate, "history_size": history_size}
    arguments |= {"evaluations": evaluations, "points": points, "test_points": test_points}
    facts = ON_THE_CPU | {"dtype": dtype.value}
    give_result(table, output, arguments, started, "evaluations", losses_of(table), facts)


@app.command()
def laaf(
    problem: ProblemOption = "jump1d",
    hidden: Annotated[str, typer.Option(help="Neurons of each layer: M,M,...")] = "50,50,50,50",
    activation: ActivationOption = Activation.tanh,
    adaptive: Annotated[Adaptive, typer.Option(help="What has a slope.")] = Adaptive.layer,
    scale: ScaleOption = 10.0,
    recovery: Annotated[float, typer.Option(help="Weight of slope recovery.")] = 0.0,
    steps: Annotated[int, typer.Option(min=1, help="Of Adam.")] = 2000,
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
    end_with(parent)
    check_output(output, problem)
    started = time.perf_counter()
    from hrta.networks.adaptive import AdaptiveNetworks
    from hrta.schedules import Schedule, Stage
    from hrta.training.objectives.adaptive import AdaptiveSlopes
    from hrta.training.trainer import train

    given = given_data(csv, target, openml) or given_problem(problem, points, test_points)
    layers = given_counts("--hidden", hidden)
    start = AdaptiveNetworks.initialise(
        range(seeds), given.inputs, layers, activation.value, adaptive.value, scale
    )
    with Progress(f"{given.name}, laaf") as progress:
        training = train(
            given,
            start,
            Schedule([Stage(1.0, steps)]),
            learning_rate=learning_rate,
            log_every=log_every,
            decay=decay,
            objective=AdaptiveSlopes(recovery),
            progress=progress,
        )
    table = training.history.drop(columns=["stage", "s"]).rename(columns={"run": "seed"})
    arguments = {"problem": str(csv or openml or problem), "hidden": layers, "steps": steps}
    arguments |= {"activation": activation.value, "adaptive": adaptive.value, "scale": scale}
    arguments |= {"decay": decay, "recovery": recovery, "log_every": log_every}
    arguments |= {"learning_rate": learning_rate, "seeds": seeds}
    arguments |= {"points": points, "test_points": test_points}
    give_result(table, output, arguments, started, "step", losses_of(table))
