"""How far the tangent kernel and the weights move while a network is trained."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.ntk.matrices import empirical_gram
from hrta.problems.problem import Problem
from hrta.schedules import Schedule
from hrta.study.config.theory_specs import MotionSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.training.two_layer import train

# How often to look in each stage, at steps ever further apart.
OBSERVATIONS = 10


def run(spec: MotionSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """What has changed after some steps, for every method, width and seed.

    The kernel is compared under the same s: |K_s(t) - K_s(0)| / |K_s(0)| (Frobenius) with the s of
    the stage that the step belongs to. So a switch of s by itself changes nothing, and the last
    step of a stage is given twice, with the s before and after.

    Returns:
        Tidy table of experiment, problem, method, optimizer, width, seed, step, stage, s,
        kernel_change, inner_travel max_k |w_k(t) - w_k(0)|, outer_travel max_k |a_k(t) - a_k(0)|.
    """
    problem = load_problem(spec.problem)
    schedules = {
        name: Schedule.constant_length(s, spec.stage_steps) for name, s in spec.methods.items()
    }
    runs = list(product(spec.methods, range(spec.seeds)))
    tables = []
    for done, width in enumerate(spec.widths, start=1):
        start = TwoLayer.initialise([seed for _, seed in runs], problem.inputs, width)
        rows = []

        def observe(step: int, networks: TwoLayer, start=start, rows=rows) -> None:
            rows.extend(_changes(problem, runs, schedules, start, networks, step))

        first = next(iter(schedules.values()))
        train(
            problem,
            start,
            [schedules[method] for method, _ in runs],
            spec.optimizer,
            spec.learning_rate,
            log_every=first.steps,
            observe=observe,
            observe_at=_steps(first),
        )
        tables.append(pd.DataFrame(rows).assign(width=width))
        progress(done, len(spec.widths))
    table = pd.concat(tables, ignore_index=True)
    table = table.assign(experiment=spec.experiment, problem=problem.name, optimizer=spec.optimizer)
    names = "experiment problem method optimizer width seed step stage s kernel_change"
    return Outcome(table[[*names.split(), "inner_travel", "outer_travel"]], "float32")


def _steps(schedule: Schedule) -> list[int]:
    """Steps in each stage, ever further apart, its last one among them."""
    ends = [*schedule.switches, schedule.steps]
    lengths = [stage.steps for stage in schedule.stages]
    steps = {
        end - length + int(step)
        for end, length in zip(ends, lengths, strict=True)
        for step in np.geomspace(1, length, OBSERVATIONS).round()
    }
    return sorted(steps)


def _changes(
    problem: Problem,
    runs: list[tuple[str, int]],
    schedules: Mapping[str, Schedule],
    start: TwoLayer,
    networks: TwoLayer,
    step: int,
) -> list[dict[str, object]]:
    """Rows for all runs at one step; two for each at the end of a stage but the last."""
    inner = (networks.inner - start.inner).norm(dim=1).amax(dim=1)
    outer = (networks.outer - start.outer).abs().amax(dim=1)
    rows = []
    for run, (method, seed) in enumerate(runs):
        schedule = schedules[method]
        stages = {schedule.stage_at(max(step - 1, 0)), schedule.stage_at(step)}
        for stage in sorted(stages):
            s = schedule.stages[stage - 1].s
            before, after = (
                empirical_gram(problem.x, each.inner[run], each.outer[run], s)
                for each in (start, networks)
            )
            rows.append(
                {
                    "method": method,
                    "seed": seed,
                    "step": step,
                    "stage": stage,
                    "s": s,
                    "kernel_change": np.linalg.norm(after - before) / np.linalg.norm(before),
                    "inner_travel": float(inner[run]),
                    "outer_travel": float(outer[run]),
                }
            )
    return rows
