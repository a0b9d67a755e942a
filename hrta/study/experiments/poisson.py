"""Homotopy relaxation training of Deep Ritz networks: the errors of every run, and solutions."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.problems.poisson import PoissonProblem, make_problem
from hrta.schedules import Schedule
from hrta.study.config.deep_specs import PoissonSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.training.deep_ritz import Training, predict, train

RUN = ["method", "learning_rate", "seed"]
# Points a side of the grid on which solutions are kept.
SIDE = 51


def run(spec: PoissonSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Train every method with every learning rate from the same initial weights per seed.

    Returns:
        Tidy table of experiment, problem, width, method, optimizer, learning_rate, seed, step,
        stage, s, loss, exact_loss, energy, l2_error and h1_error; and solutions: of experiment,
        problem, method, learning_rate, seed, x1, x2, exact and prediction on a uniform grid (where
        there are more coordinates, they are 1/2), by the run with the median L^2 error at the end
        (the better of the two in the middle).

    Raises:
        ValueError: an unknown solution, or as `hrta.training.deep_ritz.train`.
    """
    problem = make_problem(spec.solution)
    if problem.dimension < 2:
        raise ValueError(f"poisson: problem {problem.name} has one dimension; solutions need two")
    runs = pd.DataFrame(product(spec.methods, spec.learning_rates, range(spec.seeds)), columns=RUN)
    networks = TwoLayer.initialise(runs["seed"], problem.dimension, spec.width)
    schedules = {
        name: Schedule.constant_length(s, spec.stage_steps) for name, s in spec.methods.items()
    }
    training = train(
        problem,
        networks,
        [schedules[method] for method in runs["method"]],
        spec.points,
        spec.quadrature,
        runs["learning_rate"].tolist(),
        decay=spec.decay,
        seeds=None if spec.quadrature == "grid" else runs["seed"].tolist(),
        log_every=spec.log_every,
        progress=progress,
        checkpoint=checkpoint,
    )
    names = {"experiment": spec.experiment, "problem": problem.name}
    table = training.history.join(runs, on="run")
    table = table.assign(**names, width=spec.width, optimizer="adam")
    measured = ["step", "stage", "s", "loss", "exact_loss", "energy", "l2_error", "h1_error"]
    solutions = _solutions(problem, training, runs).assign(**names)
    return Outcome(
        table[[*names, "width", "method", "optimizer", "learning_rate", "seed", *measured]],
        "float32",
        second=solutions[[*names, *RUN, "x1", "x2", "exact", "prediction"]],
    )


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
