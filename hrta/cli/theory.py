"""The commands about the tangent kernel: `hrta ntk` and `hrta theory`."""

from typing import Annotated

import typer

from hrta.cli.jobs import run_command
from hrta.cli.options import (
    DEFAULT_METHODS,
    ConstantRateOption,
    ExperimentOption,
    LogEveryOption,
    MethodsOption,
    OutputOption,
    ParametersOption,
    ParentOption,
    PointsOption,
    ProblemOption,
    SeedsOption,
    StageStepsOption,
    TestPointsOption,
    WidthsOption,
    given_source,
    name_of,
)
from hrta.problems.targets import TARGETS
from hrta.study.config.theory_specs import (
    JumpsSpec,
    MotionSpec,
    RatesSpec,
    SampleNumberSpec,
    SpectraSpec,
    WidthLimitSpec,
)
from hrta.study.config.values import OptimizerName

ManyPointsOption = Annotated[list[int], typer.Option(min=2, help="Number of points. Repeatable.")]

app = typer.Typer(rich_markup_mode=None)
theory = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Measure the tangent-kernel theory."
)
app.add_typer(theory, name="theory")


@app.command()
def ntk(
    context: typer.Context,
    problem: ProblemOption = "sine1d",
    s: ParametersOption = "0.5,1,1.5,2",
    widths: Annotated[
        list[int],
        typer.Option("--width", min=1, help="Finite width at initialisation, too. Repeatable."),
    ] = (),
    seeds: SeedsOption = 20,
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Eigenvalues of the tangent Gram matrix on the training points, for each s."""
    source = given_source(problem, points, test_points)
    run_command(context, SpectraSpec, problem=source, experiment=experiment or name_of(source))


@theory.command()
def width(
    context: typer.Context,
    problem: ProblemOption = "sine1d",
    s: ParametersOption = "1,1.5",
    widths: WidthsOption = (100, 1000, 10_000),
    seeds: SeedsOption = 10,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Gram matrices of networks as they are initialised against those of infinite width."""
    source = given_source(problem, points, 1)
    run_command(context, WidthLimitSpec, problem=source, experiment=experiment or name_of(source))


@theory.command()
def samples(
    context: typer.Context,
    problem: Annotated[str, typer.Option(help=f"One of {', '.join(TARGETS)}.")] = "sine1d",
    s: ParametersOption = "1,1.5",
    points: ManyPointsOption = (10, 100, 1000),
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Extremal eigenvalues at infinite width against the number of points."""
    problems = [given_source(problem, n, 1) for n in points]
    run_command(context, SampleNumberSpec, problems=problems, experiment=experiment or problem)


@theory.command()
def motion(
    context: typer.Context,
    problem: ProblemOption = "sine1d",
    methods: MethodsOption = DEFAULT_METHODS,
    widths: WidthsOption = (100, 1000),
    seeds: SeedsOption = 5,
    stage_steps: StageStepsOption = 1000,
    optimizer: OptimizerName = "gradient_descent",
    learning_rate: ConstantRateOption = 0.1,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """How far the tangent kernel and the weights move during training."""
    source = given_source(problem, points, 1)
    run_command(context, MotionSpec, problem=source, experiment=experiment or name_of(source))


@theory.command()
def jumps(
    context: typer.Context,
    problem: ProblemOption = "sine1d",
    methods: MethodsOption = DEFAULT_METHODS,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """The expected loss just after each switch of s, at infinite width."""
    source = given_source(problem, points, 1)
    run_command(context, JumpsSpec, problem=source, experiment=experiment or name_of(source))


@theory.command()
def rates(
    context: typer.Context,
    problem: ProblemOption = "sine1d",
    methods: MethodsOption = DEFAULT_METHODS,
    widths: WidthsOption = (100, 1000),
    seeds: SeedsOption = 5,
    stage_steps: StageStepsOption = 1000,
    learning_rate: ConstantRateOption = 0.1,
    log_every: LogEveryOption = 10,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Gradient descent in float64 against the bound and the linearised prediction."""
    source = given_source(problem, points, 1)
    run_command(context, RatesSpec, problem=source, experiment=experiment or name_of(source))
