"""Measured loss against the bound and against the linearised network, width by width."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
import torch

from hrta.linearised import bound, draw_parts, parts_of, predict_losses
from hrta.networks import TwoLayer
from hrta.ntk import gram
from hrta.problems import Problem
from hrta.schedules import Schedule
from hrta.spectra import extremal_eigenvalues
from hrta.training import train


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
        bound.
    """
    schedules = {name: Schedule.constant_length(s, stage_steps) for name, s in methods.items()}
    smallest = {
        s: extremal_eigenvalues(gram(problem.x, s))[0] for s in set().union(*methods.values())
    }
    cases = list(product([*widths, None], schedules))
    tables = []
    for done, (width, method) in enumerate(cases, start=1):
        table = _curves(problem, schedules[method], width, seeds, learning_rate, log_every)
        table["bound"] = _bounds(table, smallest, learning_rate, len(problem.y))
        tables.append(table.assign(method=method, width=width))
        if progress is not None:
            progress(done, len(cases))
    table = pd.concat(tables, ignore_index=True).astype({"width": "Int64"})
    table = table.assign(experiment=experiment, problem=problem.name)
    names = "experiment problem method width seed step stage s loss predicted bound"
    return table[names.split()]


def _curves(
    problem: Problem,
    schedule: Schedule,
    width: int | None,
    seeds: Sequence[int],
    learning_rate: float,
    log_every: int,
) -> pd.DataFrame:
    """Measured and predicted losses of one method at one width: seed, step, stage, s and both."""
    steps = [*range(0, schedule.steps, log_every), schedule.steps]
    columns = {
        "seed": np.repeat(list(seeds), len(steps)),
        "step": np.tile(steps, len(seeds)),
        "stage": np.tile([schedule.stage_at(step) for step in steps], len(seeds)),
        "s": np.tile([schedule.s_at(step) for step in steps], len(seeds)),
        "loss": np.nan,
    }
    if width is None:
        parts = draw_parts(problem.x, len(seeds))
    else:
        networks = TwoLayer.initialise(seeds, problem.inputs, width, dtype=torch.float64)
        parts = parts_of(networks, problem.x)
        training = train(
            problem, networks, schedule, "gradient_descent", learning_rate, log_every=log_every
        )
        columns["loss"] = training.history["loss"].to_numpy()
    rates = np.full(schedule.steps, learning_rate)
    predicted = predict_losses(problem, schedule, rates, parts, steps)
    return pd.DataFrame(columns | {"predicted": predicted.ravel()})


def _bounds(
    table: pd.DataFrame, smallest: Mapping[float, float], learning_rate: float, points: int
) -> pd.Series:
    """The bound from each stage's first row on."""
    loss = table["loss"].fillna(table["predicted"])
    stages = pd.DataFrame({"loss": loss, "step": table["step"]}).groupby(
        [table["seed"], table["stage"]]
    )
    since = learning_rate * (table["step"] - stages["step"].transform("first"))
    return bound(stages["loss"].transform("first"), table["s"].map(smallest), points, since)
