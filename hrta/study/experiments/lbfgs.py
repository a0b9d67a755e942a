"""Two-layer networks trained by L-BFGS."""

from pathlib import Path

import torch

from hrta.networks.two_layer import TwoLayer
from hrta.study.analysis.schema import LBFGS
from hrta.study.config.training import LbfgsSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem
from hrta.training.lbfgs import train


def run(spec: LbfgsSpec, progress: Progress = quiet, checkpoint: Path | None = None) -> Outcome:
    """Train one network for each seed by `hrta.training.lbfgs.train`.

    Returns:
        Rows of `LBFGS`.

    Raises:
        ValueError: as `hrta.training.lbfgs.train`.
    """
    problem = load_problem(spec.problem)
    start = TwoLayer.initialise(
        range(spec.seeds), problem.inputs, spec.width, getattr(torch, spec.dtype)
    )
    table, _ = train(
        problem,
        start,
        spec.evaluations,
        spec.learning_rate,
        spec.history_size,
        spec.s,
        progress,
    )
    return Outcome(LBFGS.select(table.rename(columns={"run": "seed"})), spec.dtype)
