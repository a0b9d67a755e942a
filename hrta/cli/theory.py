"""The commands about the tangent-kernel theory: `hrta theory`.

Each writes one tidy table; without --output it prints what the table comes to.
"""

import time
from typing import Annotated

import typer

from hrta.cli.options import (
    DEFAULT_METHODS,
    ExperimentOption,
    MethodOption,
    OptimizerName,
    OutputOption,
    ParentOption,
    PointsOption,
    ProblemOption,
    SeedsOption,
    StageStepsOption,
    check_output,
    given_methods,
    given_numbers,
    given_problem,
    write_result,
)
from hrta.problems.targets import TARGETS
from hrta.runtime.processes import end_with
from hrta.runtime.progress import Progress

app = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Measure the tangent-kernel theory."
)
ParameterOption = Annotated[str, typer.Option(help="Homotopy parameters in [0, 2]: S,S,...")]
WidthsOption = Annotated[list[int], typer.Option("--width", min=1, help="Neurons. Repeatable.")]
ManyPointsOption = Annotated[
    list[int], typer.Option("--points", min=2, help="Number of points. Repeatable.")
]
LearningRateOption = Annotated[float, typer.Option(help="Constant.")]
ON_THE_CPU = {"device": "cpu", "dtype": "float64"}


@app.command()
def width(
    problem: ProblemOption = "sine1d",
    s: ParameterOption = "1,1.5",
    widths: WidthsOption = [100, 1000, 10_000],  # noqa: B006
    seeds: SeedsOption = 10,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Gram matrices of networks as they are initialised against those of infinite width."""
    end_with(parent)
    check_output(output, problem)
    started = time.perf_counter()
    from hrta.study.analysis.theory import exponents
    from hrta.study.experiments.width_limit import width_limit_table

    given = given_problem(problem, points, 1)
    values = given_numbers("--s", s)
    name = experiment or given.name
    with Progress(f"{name}, width") as progress:
        table = width_limit_table(given, name, values, widths, range(seeds), progress)
    if output is None:
        errors = ["kernel_error", "smallest_error"]
        print(table.groupby(["s", "width"])[errors].median().to_string())
        print(exponents(table, "width", errors, ["s"]).to_string(index=False))
    else:
        arguments = {"problem": problem, "points": points, "s": values, "widths": widths}
        arguments |= {"seeds": seeds}
        write_result(table, output, arguments, started, ON_THE_CPU)


@app.command()
def samples(
    problem: Annotated[str, typer.Option(help=f"One of {', '.join(TARGETS)}.")] = "sine1d",
    s: ParameterOption = "1,1.5",
    points: ManyPointsOption = [10, 100, 1000],  # noqa: B006
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Extremal eigenvalues at infinite width against the number of points."""
    end_with(parent)
    check_output(output)
    started = time.perf_counter()
    from hrta.study.analysis.theory import exponents
    from hrta.study.experiments.sample_number import sample_number_table

    values = given_numbers("--s", s)
    name = experiment or problem
    problems = [given_problem(problem, n, 1) for n in points]
    with Progress(f"{name}, samples") as progress:
        table = sample_number_table(problems, name, values, progress)
    if output is None:
        print(table.drop(columns=["experiment", "problem"]).to_string(index=False))
        fits = exponents(table, "points", ["smallest", "largest"], ["s"])
        print(fits.to_string(index=False))
    else:
        arguments = {"problem": problem, "s": values, "points": points}
        write_result(table, output, arguments, started, ON_THE_CPU)


@app.command()
def motion(
    problem: ProblemOption = "sine1d",
    method: MethodOption = DEFAULT_METHODS,
    widths: WidthsOption = [100, 1000],  # noqa: B006
    seeds: SeedsOption = 5,
    stage_steps: StageStepsOption = 1000,
    optimizer: OptimizerName = OptimizerName.gradient_descent,
    learning_rate: LearningRateOption = 0.1,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """How far the tangent kernel and the weights move during training."""
    end_with(parent)
    check_output(output, problem)
    started = time.perf_counter()
    from hrta.study.experiments.kernel_motion import kernel_motion_table

    given = given_problem(problem, points, 1)
    methods = given_methods(method)
    name = experiment or given.name
    options = {"stage_steps": stage_steps, "optimizer": optimizer.value}
    options["learning_rate"] = learning_rate
    with Progress(f"{name}, motion") as progress:
        table = kernel_motion_table(
            given, name, methods, widths, range(seeds), progress=progress, **options
        )
    if output is None:
        end = table[table["step"] == table["step"].max()]
        columns = ["kernel_change", "inner_travel", "outer_travel"]
        print(end.groupby(["method", "width"], sort=False)[columns].median().to_string())
    else:
        arguments = {"problem": problem, "points": points, "methods": methods, "widths": widths}
        arguments |= {"seeds": seeds}
        facts = {"device": "cpu", "dtype": "float32"}
        write_result(table, output, arguments | options, started, facts)


@app.command()
def jumps(
    problem: ProblemOption = "sine1d",
    method: MethodOption = DEFAULT_METHODS,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """The expected loss just after each switch of s, at infinite width."""
    end_with(parent)
    check_output(output, problem)
    started = time.perf_counter()
    from hrta.study.experiments.jumps import jump_table

    given = given_problem(problem, points, 1)
    methods = given_methods(method)
    table = jump_table(given, experiment or given.name, methods)
    if output is None:
        print(table.drop(columns="experiment").to_string(index=False))
    else:
        arguments = {"problem": problem, "points": points, "methods": methods}
        write_result(table, output, arguments, started, ON_THE_CPU)


@app.command()
def rates(
    problem: ProblemOption = "sine1d",
    method: MethodOption = DEFAULT_METHODS,
    widths: WidthsOption = [100, 1000],  # noqa: B006
    seeds: SeedsOption = 5,
    stage_steps: StageStepsOption = 1000,
    learning_rate: LearningRateOption = 0.1,
    log_every: Annotated[int, typer.Option(min=1, help="Steps between rows.")] = 10,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Gradient descent in float64 against the bound and the linearised prediction."""
    end_with(parent)
    check_output(output, problem)
    started = time.perf_counter()
    from hrta.study.analysis.theory import crossings_of_bound
    from hrta.study.experiments.rates import rates_table

    given = given_problem(problem, points, 1)
    methods = given_methods(method)
    name = experiment or given.name
    options = {"stage_steps": stage_steps, "learning_rate": learning_rate, "log_every": log_every}
    with Progress(f"{name}, rates") as progress:
        table = rates_table(
            given, name, methods, widths, range(seeds), progress=progress, **options
        )
    if output is None:
        print(crossings_of_bound(table).drop(columns="experiment").to_string(index=False))
    else:
        arguments = {"problem": problem, "points": points, "methods": methods, "widths": widths}
        arguments |= {"seeds": seeds} | options
        write_result(table, output, arguments, started, ON_THE_CPU)
