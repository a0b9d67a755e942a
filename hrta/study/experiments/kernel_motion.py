"""How far the tangent kernel and the weights move during training."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.ntk.finite_width import FiniteKernel, finite_kernel
from hrta.schedules import Schedule
from hrta.study.analysis.schema import MOTION
from hrta.study.config.theory import MotionSpec
from hrta.study.experiments.devices import choose_device, name_of
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
    device, tables = choose_device(spec.device), []
    for done, width in enumerate(spec.widths, start=1):
        seeds = [seed for _, seed in runs]
        start = TwoLayer.initialise(seeds, problem.inputs, width, device=device)
        kernels = _kernels(problem.x, start)
        rows = []

        def observe(step: int, now: TwoLayer, start=start, kernels=kernels, rows=rows) -> None:
            changes = list(zip(kernels, _kernels(problem.x, now), strict=True))
            inner = (now.inner - start.inner).norm(dim=1).amax(dim=1)
            outer = (now.outer - start.outer).abs().amax(dim=1)
            for run, (method, seed) in enumerate(runs):
                table = _changes(changes[run], schedules[method], step)
                travel = {"inner_travel": float(inner[run]), "outer_travel": float(outer[run])}
                rows.extend({"method": method, "seed": seed, **row, **travel} for row in table)

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
    return Outcome(MOTION.select(table), "float32", device=name_of(device))


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


def _kernels(x: np.ndarray, networks: TwoLayer) -> list[FiniteKernel]:
    weights = zip(networks.inner, networks.outer, strict=True)
    return [finite_kernel(x, inner, outer) for inner, outer in weights]


def _changes(
    kernels: tuple[FiniteKernel, FiniteKernel], schedule: Schedule, step: int
) -> list[dict[str, object]]:
    """The change of a kernel at one step, and two at the end of every stage but the last.

    Args:
        kernels: before training and now.
        schedule: the schedule of the run.
        step: number of updates since then.
    """
    rows = []
    for stage in sorted({schedule.stage_at(max(step - 1, 0)), schedule.stage_at(step)}):
        s = schedule.stages[stage - 1].s
        before, now = (kernel.gram(s) for kernel in kernels)
        change = np.linalg.norm(now - before) / np.linalg.norm(before)
        rows.append({"step": step, "stage": stage, "s": s, "kernel_change": change})
    return rows
