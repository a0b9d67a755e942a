"""Two-layer networks with locally adaptive activations under Adam: `hrta.training.adaptive`."""

import time
from collections.abc import Sequence

import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.study.config.race_methods import AdaptiveMethod, Budget, Candidate
from hrta.study.experiments.trainers import timed
from hrta.training.adaptive import DeepNetworks
from hrta.training.adaptive import train as train_networks


def train(
    problem: Problem,
    width: int,
    method: AdaptiveMethod,
    candidates: Sequence[Candidate],
    budget: Budget,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """From the very weights that the others start from; see the package."""
    start = DeepNetworks.of_two_layer(
        TwoLayer.initialise(seeds, problem.inputs, width),
        method.activation,
        method.adaptive,
        method.scale,
    )
    started = time.perf_counter()
    history, _ = train_networks(
        problem,
        start,
        budget.evaluations,
        [candidate.learning_rate for candidate in candidates],
        decay=budget.decay,
        recovery=candidates[0].recovery or 0.0,
        log_every=max(1, budget.evaluations // budget.rows),
    )
    # It minimises the mean square; ours is half of it.
    for name in history.columns.intersection(["loss", "test_loss"]):
        history[name] /= 2
    return timed(history, started)
