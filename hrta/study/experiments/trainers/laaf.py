"""Two-layer networks with locally adaptive activations under Adam: `AdaptiveSlopes`."""

import time
from collections.abc import Sequence

import pandas as pd

from hrta.networks.adaptive import AdaptiveNetworks
from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.schedules import Schedule, Stage
from hrta.study.config.contestants import AdaptiveMethod, Candidate, Rules
from hrta.study.experiments.trainers import timed
from hrta.training.objectives.adaptive import AdaptiveSlopes
from hrta.training.trainer import train as train_networks


def train(
    problem: Problem,
    width: int,
    contestant: AdaptiveMethod,
    candidates: Sequence[Candidate],
    rules: Rules,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """From the very weights that the others start from; see the package."""
    start = AdaptiveNetworks.of_two_layer(
        TwoLayer.initialise(seeds, problem.inputs, width),
        contestant.activation,
        contestant.adaptive,
        contestant.scale,
    )
    started = time.perf_counter()
    history = train_networks(
        problem,
        start,
        Schedule([Stage(1.0, rules.evaluations)]),
        learning_rate=[candidate.learning_rate for candidate in candidates],
        log_every=max(1, rules.evaluations // rules.rows),
        decay=rules.decay,
        objective=AdaptiveSlopes(candidates[0].recovery or 0.0),
    ).history
    # It minimises the mean square; ours is half of it.
    for name in history.columns.intersection(["loss", "test_loss"]):
        history[name] /= 2
    return timed(history, started)
