"""How far the tangent kernel and the weights move during training."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.ntk.matrices import empirical_gram
from hrta.problems.problem import Problem
from hrta.schedules import Schedule
from hrta.study.analysis.schema import MOTION
from hrta.study.config.theory import MotionSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.trainer import train

# Number of observations in each stage, at geometrically spaced steps.
OBSERVATIONS = 10


def run(spec: MotionSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Changes of kernel and weights since initialisation, for every method, width and seed.

    The kernels are compared under the same s, that of the stage of the step, so that a switch of s
    by itself changes nothing. The last step of a stage has two rows, with the s before and after.

    Returns:
        Rows of `MOTION`: kernel_change |K_s(t) - K_s(0)| / |K_s(0)| (Frobenius norm), inner_travel
        max_k |w_k(t) - w_k(0)|, outer_travel max_k |a_k(t) - a_k(0)|.
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
            objective=TwoLayerRegression(),
            observe=observe,
            observe_at=_steps(first),
        )
        tables.append(pd.DataFrame(rows).assign(width=width))
        progress(done, len(spec.widths))
    table = pd.concat(tables, ignore_index=True)
    table = table.assign(experiment=spec.experiment, problem=problem.name, optimizer=spec.optimizer)
    return Outcome(MOTION.select(table), "float32")


def _steps(schedule: Schedule) -> list[int]:
    """Geometrically spaced steps in each stage, up to its last one."""
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
    """Rows for all runs at one step; two for each run at the end of every stage but the last."""
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
