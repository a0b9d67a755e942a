"""The command line: `hrta data`, `hrta train`, `hrta ntk`, `hrta theory`, and the siblings'."""

import dataclasses
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hrta.cli import (
    claims as cli_claims,
)
from hrta.cli import (
    competitors as cli_siblings,
)
from hrta.cli import (
    evidence as cli_evidence,
)
from hrta.cli import (
    info as cli_info,
)
from hrta.cli import (
    methods as cli_methods,
)
from hrta.cli import (
    poisson as cli_poisson,
)
from hrta.cli import (
    race as cli_race,
)
from hrta.cli import (
    sweep as cli_sweep,
)
from hrta.cli import (
    theory as cli_theory,
)
from hrta.cli import (
    verify as cli_verify,
)
from hrta.cli.options import (
    DEFAULT_METHODS,
    CheckpointOption,
    CsvOption,
    DecayOption,
    Device,
    Dtype,
    EngineName,
    ExperimentOption,
    LogEveryOption,
    MethodOption,
    MomentumOption,
    OpenmlOption,
    OptimizerName,
    OutputOption,
    ParentOption,
    PointsOption,
    ProblemOption,
    SeedsOption,
    StageStepsOption,
    TargetOption,
    TestPointsOption,
    WidthOption,
    check_checkpoint,
    check_output,
    device_name,
    given_data,
    given_methods,
    given_numbers,
    given_problem,
    named_problem,
    write_result,
)
from hrta.problems.datasets import INCLUDED
from hrta.problems.files import write_problem
from hrta.problems.targets import TARGETS
from hrta.runtime.processes import end_on_sigterm, end_with
from hrta.runtime.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

    from hrta.study.experiments.ensembles import Ensemble

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Homotopy relaxation training of two-layer networks (arXiv 2309.15244).",
)
app.add_typer(cli_theory.app, name="theory")
app.add_typer(cli_methods.app)
app.add_typer(cli_siblings.app)
app.add_typer(cli_race.app)
app.add_typer(cli_poisson.app)
app.add_typer(cli_evidence.app)
app.add_typer(cli_claims.app)
app.add_typer(cli_info.app)
app.add_typer(cli_sweep.app)
app.add_typer(cli_verify.app)


@app.command()
def data(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join([*TARGETS, *INCLUDED])}.")],
    output: Annotated[Path, typer.Option(help="Parquet file to write.")],
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the test points.")] = 0,
) -> None:
    """Write a problem, with its SHA-256 beside it."""
    check_output(output)
    write_problem(named_problem(name, points, test_points, seed), output)


@app.command()
def train(
    problem: ProblemOption = "sine1d",
    width: WidthOption = 200,
    method: MethodOption = DEFAULT_METHODS,
    stage_steps: StageStepsOption = 5000,
    optimizer: Annotated[OptimizerName, typer.Option()] = OptimizerName.adam,
    learning_rate: Annotated[
        list[float], typer.Option(help="At the first step. Repeatable: each method with each.")
    ] = [1e-3],  # noqa: B006
    momentum: MomentumOption = 0.9,
    decay: DecayOption = 1.0,
    batch_size: Annotated[
        int | None, typer.Option(help="Points that an update sees; all of them by default.")
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
    dtype: Annotated[Dtype, typer.Option()] = Dtype.float32,
    device: Annotated[Device, typer.Option()] = Device.auto,
    engine: Annotated[EngineName, typer.Option()] = EngineName.auto,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    checkpoint: CheckpointOption = None,
    parent: ParentOption = None,
) -> None:
    """Train an ensemble: every method, learning rate and seed, from the same weights per seed."""
    end_with(parent)
    check_output(output, problem)
    check_checkpoint(checkpoint, output)
    started = time.perf_counter()
    from hrta.study.experiments.ensembles import Ensemble, choose_device, train_ensemble

    chosen = choose_device(device)
    given = given_data(csv, target, openml) or given_problem(problem, points, test_points)
    ensemble = Ensemble(
        experiment=experiment or given.name,
        width=width,
        methods=given_methods(method),
        stage_steps=stage_steps,
        seeds=list(range(seeds)),
        optimizer=optimizer.value,
        learning_rates=learning_rate,
        momentum=momentum,
        decay=decay,
        batch_size=batch_size,
        fixed_outer=fixed_outer,
        log_every=log_every,
        dtype=dtype.value,
        engine=engine.value,
    )
    label = f"{ensemble.experiment}, {ensemble.optimizer}, width {width}"
    with Progress(label) as progress:
        results, facts = train_ensemble(given, ensemble, chosen, progress, checkpoint)
    if output is None:
        print(_summary(results, ensemble))
    else:
        source = str(csv or openml or problem)
        arguments = dataclasses.asdict(ensemble) | {"problem": source}
        facts |= {"device": device_name(chosen), "dtype": dtype.value}
        write_result(results, output, arguments, started, facts)
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)
    for run in facts["diverged"]:
        print(
            f"{label}: {run['method']}, learning rate {run['learning_rate']:g}, seed "
            f"{run['seed']} diverged at step {run['step']}"
        )


@app.command()
def ntk(
    problem: ProblemOption = "sine1d",
    s: Annotated[str, typer.Option(help="Homotopy parameters in [0, 2]: S,S,...")] = "0.5,1,1.5,2",
    width: Annotated[
        list[int], typer.Option(min=1, help="Finite width at initialisation, too. Repeatable.")
    ] = [],  # noqa: B006
    seeds: SeedsOption = 20,
    points: PointsOption = None,
    test_points: TestPointsOption = 200,
    experiment: ExperimentOption = None,
    output: OutputOption = None,
    parent: ParentOption = None,
) -> None:
    """Eigenvalues of the tangent Gram matrix on the training points, for each s."""
    end_with(parent)
    check_output(output, problem)
    started = time.perf_counter()
    from hrta.study.experiments.spectra import spectra_table

    given = given_problem(problem, points, test_points)
    s_values = given_numbers("--s", s)
    name = experiment or given.name
    with Progress(f"{name}, spectra") as progress:
        spectra = spectra_table(given, name, s_values, width, range(seeds), progress)
    if output is None:
        print(_extremes(spectra))
    else:
        arguments = {"problem": problem, "s": s_values, "widths": width, "seeds": seeds}
        facts = {"device": "cpu", "dtype": "float64"}
        write_result(spectra, output, arguments, started, facts)


def _summary(results: "pd.DataFrame", ensemble: "Ensemble") -> str:
    from hrta.study.analysis.final import final_losses

    final = final_losses(results)
    columns = final.columns.intersection(["loss", "test_loss"]).tolist()
    by = ["method", "learning_rate"] if len(ensemble.learning_rates) > 1 else ["method"]
    table = final.groupby(by, observed=True, sort=False)[columns].median()
    methods = table.index.get_level_values("method")
    table.insert(0, "s", [str(ensemble.methods[method]) for method in methods])
    return f"median final losses over {len(ensemble.seeds)} seeds\n{table.to_string()}"


def _extremes(spectra: "pd.DataFrame") -> str:
    runs = spectra.groupby(["kernel", "width", "seed", "s"], dropna=False)["eigenvalue"]
    extremes = runs.agg(["min", "max"]).reset_index()
    table = extremes.groupby(["kernel", "width", "s"], dropna=False, sort=False)[["min", "max"]]
    return f"smallest and largest eigenvalue, median over seeds\n{table.median().to_string()}"


def _say_once(message: Warning, *where: object) -> None:
    """A warning as one line, without the line of code that it comes from."""
    line = f"hrta: {message}"
    if line not in _said:
        print(line, file=sys.stderr)
        _said.add(line)


_said: set[str] = set()


def main() -> None:
    """Run the command line; a mistake of the user's ends in one line and a non-zero exit."""
    end_on_sigterm()
    warnings.showwarning = _say_once
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False))
    except typer.TyperException as error:
        print(f"hrta: {error.format_message()}", file=sys.stderr)
        sys.exit(2)
    except (ValueError, OSError) as error:
        print(f"hrta: {error}", file=sys.stderr)
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        # torch reports what it cannot allocate, on CPU and GPU, as RuntimeErrors.
        if not isinstance(error, MemoryError) and "alloc" not in str(error):
            raise
        print(f"hrta: not enough memory: {str(error).splitlines()[0]}", file=sys.stderr)
        sys.exit(1)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
