"""Measured loss against the bound and against the linearised network, width by width."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
import torch

from hrta.networks.two_layer import TwoLayer
from hrta.ntk.eigenvalues import extremal_eigenvalues, spectrum
from hrta.ntk.linearised import bound, draw_parts, parts_of, predict_losses
from hrta.ntk.matrices import empirical_gram, gram
from hrta.problems.problem import Problem
from hrta.schedules import Schedule
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.trainer import train


def rates_table(
    problem: Problem,
    experiment: str,
    methods: Mapping[str, Sequence[float]],
    widths: Sequence[int],
    seeds: Sequence[int],
    stage_steps: int,
    learning_rate: float,
    log_every: int,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Gradient descent in float64 with a constant learning rate, and what theory says of it.

    The prediction starts from the very network that is trained, and the bound anew in every stage,
    from the loss measured there. At infinite width (the width missing) networks are drawn from the
    limit, and there is a prediction but no measured loss; its bound starts from the prediction.

    Args:
        problem: the points.
        experiment: what results call it.
        methods: s of each stage.
        widths: m.
        seeds: of the networks.
        stage_steps: steps of each stage.
        learning_rate: eta.
        log_every: steps between rows.
        progress: called with the number of widths done and their number.

    Returns:
        Tidy table of experiment, problem, method, width, seed, step, stage, s, loss, predicted,
        bound, smallest_limit, lambda_min(K_s) at infinite width, and smallest_end, that of the
        network as it is at the end of the stage.
    """
    schedules = {name: Schedule.constant_length(s, stage_steps) for name, s in methods.items()}
    smallest = {
        s: extremal_eigenvalues(gram(problem.x, s))[0] for s in set().union(*methods.values())
    }
    cases = list(product([*widths, None], schedules))
    tables = []
    for done, (width, method) in enumerate(cases, start=1):
        table = _curves(problem, schedules[method], width, seeds, learning_rate, log_every)
        table["smallest_limit"] = table["s"].map(smallest)
        table["bound"] = _bounds(table, learning_rate, len(problem.y))
        tables.append(table.assign(method=method, width=width))
        if progress is not None:
            progress(done, len(cases))
    table = pd.concat(tables, ignore_index=True).astype({"width": "Int64"})
    table = table.assign(experiment=experiment, problem=problem.name)
    names = "experiment problem method width seed step stage s loss predicted bound"
    return table[[*names.split(), "smallest_limit", "smallest_end"]]


def _curves(
    problem: Problem,
    schedule: Schedule,
    width: int | None,
    seeds: Sequence[int],
    learning_rate: float,
    log_every: int,
) -> pd.DataFrame:
    """The columns of `rates_table` for one method at one width, but the bound."""
    steps = [*range(0, schedule.steps, log_every), schedule.steps]
    stages = [schedule.stage_at(step) for step in steps]
    table = pd.DataFrame(
        {
            "seed": np.repeat(list(seeds), len(steps)),
            "step": np.tile(steps, len(seeds)),
            "stage": np.tile(stages, len(seeds)),
            "s": np.tile([schedule.s_at(step) for step in steps], len(seeds)),
            "loss": np.nan,
            "smallest_end": np.nan,
        }
    )
    if width is None:
        parts = draw_parts(problem.x, len(seeds))
    else:
        networks = TwoLayer.initialise(seeds, problem.inputs, width, dtype=torch.float64)
        parts = parts_of(networks, problem.x)
        losses, ends = _measured(problem, networks, schedule, learning_rate, log_every)
        table["loss"] = losses
        table["smallest_end"] = ends[:, np.array(stages) - 1].ravel()
    rates = np.full(schedule.steps, learning_rate)
    predicted = predict_losses(problem, schedule, rates, parts, steps)
    return table.assign(predicted=predicted.ravel())


def _measured(
    problem: Problem,
    networks: TwoLayer,
    schedule: Schedule,
    learning_rate: float,
    log_every: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The logged losses, run after run, and lambda_min(K_s) at the ends of the stages, [R, M]."""
    smallest = []

    def observe(step: int, now: TwoLayer) -> None:
        matrices = empirical_gram(problem.x, now.inner, now.outer, schedule.s_at(step - 1))
        smallest.append([spectrum(matrix)[0] for matrix in matrices])

    training = train(
        problem,
        networks,
        schedule,
        "gradient_descent",
        learning_rate,
        log_every=log_every,
        objective=TwoLayerRegression(),
        observe=observe,
        observe_at=[*schedule.switches, schedule.steps],
    )
    return training.history["loss"].to_numpy(), np.transpose(smallest)


def _bounds(table: pd.DataFrame, learning_rate: float, points: int) -> pd.Series:
    """The bound from each stage's first row on."""
    loss = table["loss"].fillna(table["predicted"])
    stages = pd.DataFrame({"loss": loss, "step": table["step"]}).groupby(
        [table["seed"], table["stage"]]
    )
    since = learning_rate * (table["step"] - stages["step"].transform("first"))
    return bound(stages["loss"].transform("first"), table["smallest_limit"], points, since)
