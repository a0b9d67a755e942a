"""The command `hrta sweep`: many ensembles in one process."""

import time
from pathlib import Path
from typing import Annotated

import typer

from hrta.cli.options import (
    DEFAULT_METHODS,
    DecayOption,
    Device,
    Dtype,
    EngineName,
    LogEveryOption,
    MethodOption,
    MomentumOption,
    OptimizerName,
    OutputOption,
    ParentOption,
    SeedsOption,
    StageStepsOption,
    check_output,
    device_name,
    given_methods,
    given_problem,
    losses_of,
    write_result,
)
from hrta.runtime.processes import end_with
from hrta.runtime.progress import Progress

app = typer.Typer(rich_markup_mode=None)
FORM, EXAMPLE = "PROBLEM:WIDTH:LEARNING_RATE:METHOD", "such as sine1d:50:0.001:relu"


@app.command()
def sweep(
    ensemble: Annotated[
        list[str],
        typer.Option(help=f"{FORM}, {EXAMPLE}. Repeatable."),
    ],
    method: MethodOption = DEFAULT_METHODS,
    stage_steps: StageStepsOption = 5000,
    optimizer: Annotated[OptimizerName, typer.Option()] = OptimizerName.adam,
    momentum: MomentumOption = 0.9,
    decay: DecayOption = 1.0,
    seeds: SeedsOption = 20,
    log_every: LogEveryOption = 10,
    dtype: Annotated[Dtype, typer.Option()] = Dtype.float32,
    device: Annotated[Device, typer.Option()] = Device.auto,
    engine: Annotated[EngineName, typer.Option()] = EngineName.auto,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Train many ensembles, each of some seeds, with the numbers that each would have alone."""
    end_with(parent)
    wanted, methods = [_given(text) for text in ensemble], given_methods(method)
    for problem, _, _, name in wanted:
        check_output(output, problem)
        if name not in methods:
            raise ValueError(f"--ensemble: method {name!r} given; there are {', '.join(methods)}")
    started = time.perf_counter()
    from hrta.study.analysis.final import final_losses
    from hrta.study.analysis.schema import CELL
    from hrta.study.experiments.ensembles import Ensemble, choose_device
    from hrta.study.experiments.sweep import train_all

    common = {"stage_steps": stage_steps, "seeds": list(range(seeds)), "momentum": momentum}
    common |= {"optimizer": optimizer.value, "decay": decay, "log_every": log_every}
    common |= {"dtype": dtype.value, "engine": engine.value}
    problems = {problem: given_problem(problem, None, 200) for problem, *_ in wanted}
    ensembles = []
    for problem, width, rate, name in wanted:
        of = {"width": width, "methods": {name: methods[name]}, "learning_rates": [rate]}
        ensembles.append((problems[problem], Ensemble(Path(problem).stem, **of, **common)))
    chosen = choose_device(device)
    with Progress(f"{len(ensembles)} ensembles, {optimizer.value}") as progress:
        results, facts = train_all(ensembles, chosen, progress)
    if output is None:
        final = final_losses(results).groupby(CELL, observed=True, sort=False)[losses_of(results)]
        print(f"median final losses over {seeds} seeds\n{final.median().to_string()}")
        return
    arguments = common | {"methods": methods, "ensembles": ensemble}
    facts |= {"device": device_name(chosen), "dtype": dtype.value}
    write_result(results, output, arguments, started, facts)


def _given(text: str) -> tuple[str, int, float, str]:
    """PROBLEM:WIDTH:LEARNING_RATE:METHOD."""
    try:
        problem, width, rate, method = text.rsplit(":", 3)
        given = problem, int(width), float(rate), method
    except ValueError:
        raise ValueError(f"--ensemble {text!r} must be {FORM}, {EXAMPLE}") from None
    if given[1] < 1:
        raise ValueError(f"--ensemble {text!r}: the width must be at least 1")
    return given
