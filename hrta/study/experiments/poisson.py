"""Homotopy relaxation training of Deep Ritz networks: errors of every run, and solutions."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.problems.poisson import PoissonProblem, make_problem
from hrta.schedules import Schedule
from hrta.study.analysis.schema import POISSON, POISSON_SOLUTIONS
from hrta.study.config.poisson import PoissonSpec
from hrta.study.experiments.devices import choose_device, name_of
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.training.loop import Training
from hrta.training.objectives.deep_ritz import DeepRitz, predict
from hrta.training.trainer import train

RUN = ["method", "learning_rate", "seed"]
# Points per side of the grid on which solutions are kept.
SIDE = 51


def run(spec: PoissonSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Train every method with every learning rate from the same initial weights per seed.

    Returns:
        Rows of `POISSON`. As second table rows of `POISSON_SOLUTIONS`, on a uniform grid of x1 and
        x2 (further coordinates are 1/2): for each method and learning rate the run with the median
        final L^2 error (of an even number of runs the better of the middle two).

    Raises:
        ValueError: an unknown or one-dimensional solution, or as `hrta.train`.
    """
    problem = make_problem(spec.solution)
    if problem.dimension < 2:
        raise ValueError(f"poisson: problem {problem.name} has one dimension; solutions need two")
    runs = pd.DataFrame(product(spec.methods, spec.learning_rates, range(spec.seeds)), columns=RUN)
    device = choose_device(spec.device)
    networks = TwoLayer.initialise(runs["seed"], problem.dimension, spec.width, device=device)
    schedules = {
        name: Schedule.constant_length(s, spec.stage_steps) for name, s in spec.methods.items()
    }
    seeds_of_points = None if spec.quadrature == "grid" else runs["seed"].tolist()
    training = train(
        problem,
        networks,
        [schedules[method] for method in runs["method"]],
        learning_rate=runs["learning_rate"].tolist(),
        log_every=spec.log_every,
        decay=spec.decay,
        objective=DeepRitz(spec.points, spec.quadrature, seeds_of_points),
        progress=progress,
        checkpoint=checkpoint,
    )
    names = {"experiment": spec.experiment, "problem": problem.name}
    table = training.history.join(runs, on="run")
    table = table.assign(**names, width=spec.width, optimizer="adam")
    solutions = _solutions(problem, training, runs).assign(**names)
    return Outcome(
        POISSON.select(table),
        "float32",
        device=name_of(device),
        second=POISSON_SOLUTIONS.select(solutions),
        facts={"engine": training.engine},
    )


def _solutions(problem: PoissonProblem, training: Training, runs: pd.DataFrame) -> pd.DataFrame:
    """The solution of the run with the median error, for each method and learning rate."""
    last = training.history.groupby("run").last()
    ends = runs.join(last).reset_index(names="run").sort_values("l2_error", kind="stable")
    cells = ends.groupby(["method", "learning_rate"])["run"]
    chosen = sorted(cells.agg(lambda in_order: in_order.iloc[(len(in_order) - 1) // 2]))
    axis = np.linspace(0, 1, SIDE)
    x = np.full((SIDE**2, problem.dimension), 0.5)
    x[:, :2] = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    networks = training.networks
    networks = TwoLayer(networks.inner[chosen].cpu(), networks.outer[chosen].cpu())
    predictions = predict(networks, x, last["s"].to_numpy()[chosen]).double().numpy()
    tables = [
        pd.DataFrame({"x1": x[:, 0], "x2": x[:, 1], "exact": problem.solution(x)}).assign(
            **runs.iloc[run], prediction=prediction
        )
        for run, prediction in zip(chosen, predictions, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)
