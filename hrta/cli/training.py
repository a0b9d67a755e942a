"""The commands that make points and train two-layer networks on them."""

from itertools import product
from pathlib import Path
from typing import Annotated

import typer

from hrta.cli.jobs import run_command
from hrta.cli.options import (
    DEFAULT_METHODS,
    NAMES,
    CheckpointOption,
    CsvOption,
    DecayOption,
    ExperimentOption,
    LearningRatesOption,
    LogEveryOption,
    MethodsOption,
    MomentumOption,
    OpenmlOption,
    OutputOption,
    ParentOption,
    PointsOption,
    ProblemOption,
    ProblemsOption,
    SeedsOption,
    StageStepsOption,
    TargetOption,
    TestPointsOption,
    WidthOption,
    WidthsOption,
    check_output,
    given_source,
    name_of,
)
from hrta.study.config.training_specs import DataSpec, SweepSpec, SweptEnsemble, TrainingSpec
from hrta.study.config.values import Device, Dtype, EngineName, OptimizerName

app = typer.Typer(rich_markup_mode=None)


@app.command()
def data(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=f"One of {NAMES}.")],
    output: Annotated[Path, typer.Option(callback=check_output, help="Parquet file to write.")],
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the test points.")] = 0,
) -> None:
    """Write a problem, with its SHA-256 beside it."""
    problem = given_source(name, points, test_points, seed=seed)
    run_command(context, DataSpec, problem=problem)


@app.command()
def train(
    context: typer.Context,
    problem: ProblemOption = "sine1d",
    width: WidthOption = 200,
    methods: MethodsOption = DEFAULT_METHODS,
    stage_steps: StageStepsOption = 5000,
    optimizer: OptimizerName = "adam",
    learning_rates: LearningRatesOption = (1e-3,),
    momentum: MomentumOption = 0.9,
    decay: DecayOption = 1.0,
    batch_size: Annotated[
        int | None, typer.Option(help="Points that an update uses; all of them by default.")
    ] = None,
    fixed_outer: Annotated[
        bool, typer.Option("--fixed-outer", help="Outer weights stay 1 or -1.")
    ] = False,
    seeds: SeedsOption = 20,
    log_every: LogEveryOption = 10,
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    csv: CsvOption = None,
    target: TargetOption = None,
    openml: OpenmlOption = None,
    dtype: Dtype = "float32",
    device: Device = "auto",
    engine: EngineName = "auto",
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    checkpoint: CheckpointOption = None,
    parent: ParentOption = None,
) -> None:
    """Train an ensemble: every method, learning rate and seed, from the same weights per seed."""
    source = given_source(problem, points, test_points, csv, target, openml)
    name = experiment or name_of(source)
    run_command(context, TrainingSpec, problem=source, experiment=name)


@app.command()
def sweep(
    context: typer.Context,
    problem: ProblemsOption = ("sine1d",),
    width: WidthsOption = (200,),
    methods: MethodsOption = DEFAULT_METHODS,
    stage_steps: StageStepsOption = 5000,
    optimizer: OptimizerName = "adam",
    learning_rate: LearningRatesOption = (1e-3,),
    momentum: MomentumOption = 0.9,
    decay: DecayOption = 1.0,
    seeds: SeedsOption = 20,
    log_every: LogEveryOption = 10,
    dtype: Dtype = "float32",
    device: Device = "auto",
    engine: EngineName = "auto",
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Train an ensemble for each problem, width, learning rate and method, one after another."""
    sources = [given_source(each) for each in problem]
    problems = {name_of(source): source for source in sources}
    ensembles = [
        SweptEnsemble(experiment=name, width=m, learning_rate=rate, method=method)
        for name, m, rate, method in product(problems, width, learning_rate, methods)
    ]
    run_command(context, SweepSpec, problems=problems, ensembles=ensembles)
