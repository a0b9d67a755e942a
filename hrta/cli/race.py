"""The command of the race, `hrta race`: methods of any kind, each with its own best parameters."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from hrta.cli.jobs import run_command
from hrta.cli.options import (
    CheckpointOption,
    DecayOption,
    OutputOption,
    ParentOption,
    ProblemsOption,
    SeedsOption,
    WidthsOption,
    given_source,
)
from hrta.study.config.race_spec import RaceSpec

app = typer.Typer(rich_markup_mode=None)


@app.command()
def race(
    context: typer.Context,
    methods: Annotated[
        str,
        typer.Argument(
            help="The methods and their grids by name, YAML or JSON, or the path of a file with "
            "it: {mine: {method: {trainer: gradient, optimizer: adam, s: [1, 1.5]}, grid: "
            "{learning_rate: [0.001, 0.01]}}}. Trainers are gradient, perceptron, laaf, lbfgs "
            "and anmin."
        ),
    ],
    problem: ProblemsOption = ("sine1d",),
    width: WidthsOption = (50,),
    evaluations: Annotated[
        int, typer.Option(min=1, help="Of the gradient on all points, for each run.")
    ] = 1000,
    tuning_seeds: Annotated[int, typer.Option(min=1, help="To choose from the grid with.")] = 3,
    seeds: SeedsOption = 20,
    decay: DecayOption = 0.1,
    final_fraction: Annotated[
        float, typer.Option(help="Part of the steps whose median is the final loss.")
    ] = 0.02,
    output: OutputOption = None,
    checkpoint: CheckpointOption = None,
    parent: ParentOption = None,
) -> None:
    """Tune each method on its grid, then run it from fresh seeds."""
    problems = [
        {"problem": given_source(each), "widths": width, "evaluations": evaluations}
        for each in problem
    ]
    run_command(context, RaceSpec, problems=problems, entries=_read(methods))


def _read(methods: str) -> object:
    text = methods if methods.lstrip().startswith("{") else Path(methods).read_text()
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"race: not YAML ({' '.join(str(error).split())})") from None
