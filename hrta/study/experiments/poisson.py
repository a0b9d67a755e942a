"""Homotopy relaxation training of Deep Ritz networks: the errors of every run, and solutions."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.problems.poisson import PoissonProblem
from hrta.schedules import Schedule
from hrta.training.loop import Progress, Training
from hrta.training.objectives.deep_ritz import DeepRitz, predict
from hrta.training.trainer import train

RUN = ["method", "learning_rate", "seed"]
# Points a side of the grid on which solutions are kept.
SIDE = 51


def ritz_table(
    problem: PoissonProblem,
    experiment: str,
    methods: Mapping[str, Sequence[float]],
    seeds: Sequence[int],
    learning_rates: Sequence[float],
    width: int,
    points: int,
    quadrature: str,
    stage_steps: int,
    decay: float,
    log_every: int,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train every method with every learning rate from the same initial weights per seed.

    Args:
        problem: what is solved, in two dimensions or more.
        experiment: what results call it.
        methods: name of each method and its s, stage by stage.
        seeds: of the initial weights and of the points of monte_carlo.
        learning_rates: each method is trained with each of them.
        width: m.
        points, quadrature, decay, log_every: as in `DeepRitz` and `hrta.train`.
        stage_steps: steps of every stage.
        progress: called from time to time with the steps done and the number of steps.
        checkpoint: as in `hrta.train`.

    Returns:
        Tidy table of experiment, problem, width, method, optimizer, learning_rate, seed, step,
        stage, s, loss, exact_loss, energy, l2_error and h1_error; and solutions: of experiment,
        problem, method, learning_rate, seed, x1, x2, exact and prediction on a uniform grid (where
        there are more coordinates, they are 1/2), by the run with the median L^2 error at the end
        (the better of the two in the middle).

    Raises:
        ValueError: a problem in one dimension, or as `hrta.train`.
    """
    if problem.dimension < 2:
        raise ValueError(f"deep_ritz: problem {problem.name} has one dimension; solutions need two")
    runs = pd.DataFrame(product(methods, learning_rates, seeds), columns=RUN)
    networks = TwoLayer.initialise(runs["seed"], problem.dimension, width)
    schedules = {name: Schedule.constant_length(s, stage_steps) for name, s in methods.items()}
    seeds_of_points = None if quadrature == "grid" else runs["seed"].tolist()
    training = train(
        problem,
        networks,
        [schedules[method] for method in runs["method"]],
        learning_rate=runs["learning_rate"].tolist(),
        log_every=log_every,
        decay=decay,
        objective=DeepRitz(points, quadrature, seeds_of_points),
        progress=progress,
        checkpoint=checkpoint,
    )
    names = {"experiment": experiment, "problem": problem.name}
    table = training.history.join(runs, on="run").assign(**names, width=width, optimizer="adam")
    measured = ["step", "stage", "s", "loss", "exact_loss", "energy", "l2_error", "h1_error"]
    table = table[[*names, "width", "method", "optimizer", "learning_rate", "seed", *measured]]
    solutions = _solutions(problem, training, runs).assign(**names)
    return table, solutions[[*names, *RUN, "x1", "x2", "exact", "prediction"]]


def _solutions(problem: PoissonProblem, training: Training, runs: pd.DataFrame) -> pd.DataFrame:
    """The functions found by the run in the middle of each method and learning rate."""
    last = training.history.groupby("run").last()
    ends = runs.join(last).reset_index(names="run").sort_values("l2_error", kind="stable")
    cells = ends.groupby(["method", "learning_rate"])["run"]
    chosen = sorted(cells.agg(lambda in_order: in_order.iloc[(len(in_order) - 1) // 2]))
    axis = np.linspace(0, 1, SIDE)
    x = np.full((SIDE**2, problem.dimension), 0.5)
    x[:, :2] = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    networks = training.networks
    networks = TwoLayer(networks.inner[chosen], networks.outer[chosen])
    predictions = predict(networks, x, last["s"].to_numpy()[chosen]).double().numpy()
    tables = [
        pd.DataFrame({"x1": x[:, 0], "x2": x[:, 1], "exact": problem.solution(x)}).assign(
            **runs.iloc[run], prediction=prediction
        )
        for run, prediction in zip(chosen, predictions, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)
