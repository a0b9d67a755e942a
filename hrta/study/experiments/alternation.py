"""Exact alternating minimisation, round by round, from the weights of each seed."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch

from hrta.anmin import train
from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem, check_numbers


def anmin_table(
    problem: Problem,
    width: int,
    seeds: Sequence[int],
    rounds: int = 30,
    ridge: float = 1e-3,
    leak: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """`train` from the inner weights of `hrta.TwoLayer` for each seed, N(0, 1).

    Returns:
        Tidy table of problem, width, seed, round, loss, fixed_pattern_loss and, with a test set,
        test_loss, all of them mean squares.

    Raises:
        ValueError, MemoryError: as `train`, or a problem with classes.
    """
    check_numbers(problem, "anmin")
    test = None if problem.x_test is None else (problem.x_test, problem.y_test)
    tables = []
    for done, seed in enumerate(seeds, start=1):
        start = TwoLayer.initialise([seed], problem.inputs, width, torch.float64).inner[0].numpy()
        trained = train(problem.x, problem.y, start, rounds, ridge, leak, test=test)
        losses = {"loss": trained.losses, "fixed_pattern_loss": trained.fixed_pattern_losses}
        if test is not None:
            losses["test_loss"] = trained.test_losses
        cell = {"problem": problem.name, "width": width, "seed": seed}
        tables.append(pd.DataFrame(cell | {"round": np.arange(rounds + 1)} | losses))
        if progress is not None:
            progress(done, len(seeds))
    return pd.concat(tables, ignore_index=True)
