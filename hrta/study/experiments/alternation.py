"""Exact alternating minimisation, round by round, from the initial weights of each seed."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hrta.anmin import train
from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import check_numbers
from hrta.study.analysis.schema import ANMIN
from hrta.study.config.alternation import AlternationSpec
from hrta.study.experiments.outcome import Outcome, Progress, quiet
from hrta.study.experiments.problems import load_problem


def run(
    spec: AlternationSpec, progress: Progress = quiet, checkpoint: Path | None = None
) -> Outcome:
    """`hrta.anmin.train` from the inner weights of `hrta.TwoLayer` for each seed, N(0, 1).

    Returns:
        Rows of `ANMIN`; all losses are mean squares. test_loss only with a test set.

    Raises:
        ValueError, MemoryError: as `hrta.anmin.train`, or a problem with classes.
    """
    problem = load_problem(spec.problem)
    check_numbers(problem, "anmin")
    test = None if problem.x_test is None else (problem.x_test, problem.y_test)
    tables = []
    for seed in range(spec.seeds):
        networks = TwoLayer.initialise([seed], problem.inputs, spec.width, torch.float64)
        start = networks.inner[0].numpy()
        trained = train(problem.x, problem.y, start, spec.rounds, spec.ridge, spec.leak, test=test)
        table = pd.DataFrame(
            {
                "problem": problem.name,
                "width": spec.width,
                "seed": seed,
                "round": np.arange(spec.rounds + 1),
                "loss": trained.losses,
                "fixed_pattern_loss": trained.fixed_pattern_losses,
            }
        )
        tables.append(table if test is None else table.assign(test_loss=trained.test_losses))
        progress(seed + 1, spec.seeds)
    return Outcome(ANMIN.select(pd.concat(tables, ignore_index=True)), "float64")
