"""Measured loss, bound and loss of the linearised network at several widths."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hrta.networks.two_layer import TwoLayer
from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.finite_width import empirical_gram
from hrta.ntk.linearised import bound, draw_parts, parts_of, predict_losses
from hrta.ntk.matrices import gram
from hrta.problems.problem import Problem
from hrta.schedules import Schedule
from hrta.study.analysis.schema import RATES
from hrta.study.config.theory import RatesSpec
from hrta.study.experiments.devices import choose_device, name_of
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.trainer import train


def run(spec: RatesSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Gradient descent in float64 with a constant learning rate, and its theoretical predictions.

    The prediction starts from the initial weights of the trained network; the bound restarts in
    every stage from the loss measured there. At infinite width (the width is missing) networks are
    drawn from the limit: the loss is predicted but not measured, and the bound starts from the
    prediction.

    Returns:
        Rows of `RATES`: predicted is the loss of the linearised network, smallest_limit is
        lambda_min(K_s) at infinite width, smallest_end that of the network at the end of the stage.
    """
    problem = load_problem(spec.problem)
    values = set().union(*spec.methods.values())
    smallest = {s: spectrum(gram(problem.x, s))[0] for s in values}
    device = choose_device(spec.device)
    cases = list(product([*spec.widths, None], spec.methods))
    tables = []
    for done, (width, method) in enumerate(cases, start=1):
        schedule = Schedule.constant_length(spec.methods[method], spec.stage_steps)
        table = _curves(problem, schedule, width, spec, device)
        table["smallest_limit"] = table["s"].map(smallest)
        table["bound"] = _bounds(table, spec.learning_rate, len(problem.y))
        tables.append(table.assign(method=method, width=width))
        progress(done, len(cases))
    table = pd.concat(tables, ignore_index=True).astype({"width": "Int64"})
    table = table.assign(experiment=spec.experiment, problem=problem.name)
    return Outcome(RATES.select(table), "float64", device=name_of(device))


def _curves(
    problem: Problem,
    schedule: Schedule,
    width: int | None,
    spec: RatesSpec,
    device: str,
) -> pd.DataFrame:
    """The columns for one method at one width, without the bound."""
    steps = [*range(0, schedule.steps, spec.log_every), schedule.steps]
    stages = [schedule.stage_at(step) for step in steps]
    table = pd.DataFrame(
        {
            "seed": np.repeat(range(spec.seeds), len(steps)),
            "step": np.tile(steps, spec.seeds),
            "stage": np.tile(stages, spec.seeds),
            "s": np.tile([schedule.s_at(step) for step in steps], spec.seeds),
            "loss": np.nan,
            "smallest_end": np.nan,
        }
    )
    if width is None:
        parts = draw_parts(problem.x, spec.seeds)
    else:
        networks = TwoLayer.initialise(
            range(spec.seeds), problem.inputs, width, torch.float64, device
        )
        parts = parts_of(networks, problem.x)
        losses, ends = _measured(problem, networks, schedule, spec)
        table["loss"] = losses
        table["smallest_end"] = ends[:, np.array(stages) - 1].ravel()
    rates = np.full(schedule.steps, spec.learning_rate)
    predicted = predict_losses(problem, schedule, rates, parts, steps)
    return table.assign(predicted=predicted.ravel())


def _measured(
    problem: Problem, networks: TwoLayer, schedule: Schedule, spec: RatesSpec
) -> tuple[np.ndarray, np.ndarray]:
    """The logged losses, run by run, and lambda_min(K_s) at the end of each stage, [R, M]."""
    smallest = []

    def observe(step: int, now: TwoLayer) -> None:
        matrices = empirical_gram(problem.x, now.inner, now.outer, schedule.s_at(step - 1))
        smallest.append([spectrum(matrix)[0] for matrix in matrices])

    training = train(
        problem,
        networks,
        schedule,
        "gradient_descent",
        spec.learning_rate,
        log_every=spec.log_every,
        objective=TwoLayerRegression(),
        observe=observe,
        observe_at=[*schedule.switches, schedule.steps],
    )
    return training.history["loss"].to_numpy(), np.transpose(smallest)


def _bounds(table: pd.DataFrame, learning_rate: float, points: int) -> pd.Series:
    """The bound, started from the first row of each stage."""
    loss = table["loss"].fillna(table["predicted"])
    stages = pd.DataFrame({"loss": loss, "step": table["step"]}).groupby(
        [table["seed"], table["stage"]]
    )
    since = learning_rate * (table["step"] - stages["step"].transform("first"))
    return bound(stages["loss"].transform("first"), table["smallest_limit"], points, since)
