"""The command of the race, `hrta race`: methods of any kind, each with its own best parameters."""

import dataclasses
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from hrta.cli.options import (
    ON_THE_CPU,
    CheckpointOption,
    DecayOption,
    OutputOption,
    ParentOption,
    SeedsOption,
    check_checkpoint,
    check_outputs,
    give_result,
    given_counts,
    given_problem,
)
from hrta.runtime.processes import end_with
from hrta.runtime.progress import Progress

if TYPE_CHECKING:
    from hrta.problems.problem import Problem
    from hrta.study.config.contestants import Entry

app = typer.Typer(rich_markup_mode=None)


@app.command()
def race(
    entry: Annotated[
        list[str],
        typer.Option(
            help='Who runs, NAME=JSON: mine={"method": {"trainer": "gradient", "optimizer": '
            '"adam", "s": [1, 1.5]}, "grid": {"learning_rate": [0.001, 0.01]}}. Repeatable.'
        ),
    ],
    on: Annotated[
        list[str],
        typer.Option(help="PROBLEM:WIDTH,WIDTH,...:EVALUATIONS, such as wine:50,200:1000."),
    ],
    tuning_seeds: Annotated[int, typer.Option(min=1, help="To choose from the grid with.")] = 3,
    seeds: SeedsOption = 20,
    decay: DecayOption = 0.1,
    final_fraction: Annotated[
        float, typer.Option(min=0, max=1, help="Part of the steps whose median is the final loss.")
    ] = 0.02,
    tuning: Annotated[
        Path | None, typer.Option(help="Parquet file for the losses in tuning, too.")
    ] = None,
    output: OutputOption = None,
    checkpoint: CheckpointOption = None,
    parent: ParentOption = None,
) -> None:
    """Tune each method on its grid, then run it from fresh seeds."""
    end_with(parent)
    courses = [_course(text) for text in on]
    check_outputs(output, tuning, [problem for problem, _, _ in courses])
    check_checkpoint(checkpoint, output)
    started = time.perf_counter()
    from hrta.runtime.checkpoints import Checkpoint, Parts
    from hrta.runtime.files import write_table
    from hrta.study.analysis.final import race_measures
    from hrta.study.config.contestants import Rules
    from hrta.study.experiments.race import race as race_on

    entries, tables = _entries(entry), []
    problems = {problem: given_problem(problem, None, 200) for problem, _, _ in courses}
    rules = Rules(1, tuning_seeds, seeds, decay, final_fraction=final_fraction)
    arguments = {"entries": {k: v.model_dump(exclude_none=True) for k, v in entries.items()}}
    arguments |= {"on": on}
    arguments |= {k: v for k, v in dataclasses.asdict(rules).items() if k != "evaluations"}
    parts = Parts(checkpoint and Checkpoint(checkpoint, arguments | _digests(problems)))
    for problem, widths, evaluations in courses:
        given, own = problems[problem], dataclasses.replace(rules, evaluations=evaluations)
        for name, contestant in entries.items():
            with Progress(f"{name} on {given.name}") as progress:
                course = partial(race_on, given, name, contestant, widths, own, progress)
                part = str(len(tables))
                if parts.has(part):
                    progress(len(widths), len(widths))
                tables.append(parts.tables(part, course))
    runs, tuned = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    if tuning is not None:
        write_table(tuned, tuning)
    if output is None:
        best = tuned[tuned["chosen"]].groupby(["method", "problem", "width"], sort=False).first()
        parameters = {name for contestant in entries.values() for name in contestant.method.tuned}
        print(f"chosen\n{best[sorted(parameters)].to_string()}")
    shown, by = race_measures(runs), ["method", "problem", "width"]
    facts = ON_THE_CPU | {"dtype": _dtypes(entries)}
    give_result(runs, output, arguments, started, "step", shown, facts, by)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)


def _entries(given: list[str]) -> "dict[str, Entry]":
    """NAME=JSON, each name once."""
    from hrta.study.config.contestants import read_entry

    entries = {}
    for text in given:
        name, equals, json = text.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"--entry {text!r} must be NAME=JSON")
        if name in entries:
            raise ValueError(f"--entry {name!r} is there twice")
        entries[name] = read_entry(json)
    return entries


def _dtypes(entries: "Mapping[str, Entry]") -> str:
    """What the methods compute with: the exact solves need double precision."""
    analytic = {contestant.method.trainer == "anmin" for contestant in entries.values()}
    return " and ".join({True: "float64", False: "float32"}[each] for each in sorted(analytic))


def _digests(problems: "Mapping[str, Problem]") -> dict[str, str]:
    """Of the points of each problem."""
    from hrta.runtime.checkpoints import digest

    return {
        name: digest(each.x, each.y, each.x_test, each.y_test) for name, each in problems.items()
    }


def _course(text: str) -> tuple[str, list[int], int]:
    """PROBLEM:WIDTHS:EVALUATIONS."""
    parts = text.rsplit(":", 2)
    if len(parts) != 3 or not parts[2].isdigit() or not int(parts[2]):
        raise ValueError(f"--on {text!r} must be PROBLEM:WIDTH,WIDTH,...:EVALUATIONS")
    return parts[0], given_counts(f"--on {text}", parts[1]), int(parts[2])
