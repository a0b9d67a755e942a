"""The commands of the neighbouring papers' claims: `hrta slopes` and `acceleration`.

Each writes a tidy table; without --output it prints what the table comes to.
"""

import time
from pathlib import Path
from typing import Annotated

import typer

from hrta.cli.options import (
    ON_THE_CPU,
    Activation,
    ActivationOption,
    Adaptive,
    ExperimentOption,
    LogEveryOption,
    OutputOption,
    ParentOption,
    PointsOption,
    ProblemOption,
    ScaleOption,
    SeedsOption,
    check_output,
    check_outputs,
    give_result,
    given_counts,
    given_problem,
)
from hrta.runtime.processes import end_with
from hrta.runtime.progress import Progress

app = typer.Typer(rich_markup_mode=None)


@app.command()
def slopes(
    problem: ProblemOption = "jump1d",
    variant: Annotated[
        list[str],
        typer.Option(help="NAME=ADAPTIVE,RECOVERY: none, layer or neuron; a weight. Repeatable."),
    ] = ["fixed=none,0", "layer=layer,0", "neuron=neuron,0"],  # noqa: B006
    hidden: Annotated[str, typer.Option(help="Neurons of each layer: M,M,...")] = "50,50,50,50",
    activation: ActivationOption = Activation.tanh,
    scale: ScaleOption = 10.0,
    steps: Annotated[int, typer.Option(min=1, help="Of Adam.")] = 15_000,
    checkpoint: Annotated[
        list[int], typer.Option(help="Step whose function is wanted. Repeatable.")
    ] = [2000, 8000, 15_000],  # noqa: B006
    learning_rate: Annotated[float, typer.Option(help="Constant.")] = 2e-4,
    seeds: SeedsOption = 5,
    log_every: LogEveryOption = 100,
    points: PointsOption = None,
    experiment: ExperimentOption = None,
    solutions: Annotated[
        Path | None, typer.Option(help="Parquet file for the functions found, too.")
    ] = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Deep networks with adaptive slopes against fixed ones, from the same weights."""
    end_with(parent)
    check_outputs(output, solutions, [problem])
    started = time.perf_counter()
    from hrta.runtime.files import write_table
    from hrta.study.experiments.slopes import laaf_table

    given = given_problem(problem, points, 200)
    variants = dict(_variant(text) for text in variant)
    layers, name = given_counts("--hidden", hidden), experiment or given.name
    rest = (layers, activation.value, range(seeds), steps, checkpoint, learning_rate, scale)
    with Progress(f"{name}, slopes of {', '.join(variants)}") as progress:
        errors, functions = laaf_table(given, name, variants, *rest, log_every, progress)
    arguments = {"problem": problem, "variants": variants, "hidden": layers, "seeds": seeds}
    arguments |= {"activation": activation.value, "scale": scale, "steps": steps}
    arguments |= {"checkpoints": checkpoint, "learning_rate": learning_rate}
    arguments |= {"log_every": log_every, "points": points}
    if solutions is not None:
        write_table(functions, solutions)
    give_result(errors, output, arguments, started, "step", ["loss", "slope"], by=["variant"])


@app.command()
def acceleration(
    problem: ProblemOption = "sine3d",
    width: Annotated[list[int], typer.Option(min=1, help="Neurons. Repeatable.")] = [100, 1000],  # noqa: B006
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
    end_with(parent)
    check_output(output, problem)
    started = time.perf_counter()
    from hrta.study.experiments.acceleration import acceleration_table

    given = given_problem(problem, points, 200)
    name = experiment or given.name
    with Progress(f"{name}, acceleration") as progress:
        table = acceleration_table(
            *(given, name, width, range(seeds), steps, step_fraction, log_every),
            progress=progress,
        )
    arguments = {"problem": problem, "points": points, "widths": width, "seeds": seeds}
    arguments |= {"steps": steps, "step_fraction": step_fraction, "log_every": log_every}
    facts = ON_THE_CPU | {"dtype": "float64"}
    shown, by = ["loss", "predicted", "travel"], ["optimizer", "width"]
    give_result(table, output, arguments, started, "step", shown, facts, by)


def _variant(text: str) -> tuple[str, dict[str, str | float]]:
    """NAME=ADAPTIVE,RECOVERY."""
    name, _, rest = text.partition("=")
    adaptive, _, recovery = rest.partition(",")
    try:
        return name, {"adaptive": Adaptive(adaptive).value, "recovery": float(recovery)}
    except ValueError:
        names = ", ".join(Adaptive)
        raise ValueError(
            f"--variant {text!r} must be NAME=ADAPTIVE,RECOVERY with one of {names} and a number"
        ) from None
