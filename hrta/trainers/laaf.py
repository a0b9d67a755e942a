"""Two-layer networks with locally adaptive activations under Adam: `hrta.laaf`."""

import time
from collections.abc import Sequence

import pandas as pd

from hrta.contestants import AdaptiveMethod, Candidate, Rules
from hrta.laaf import DeepNetworks
from hrta.laaf import train as train_networks
from hrta.networks import TwoLayer
from hrta.problems import Problem
from hrta.trainers import timed


def train(
    problem: Problem,
    width: int,
    contestant: AdaptiveMethod,
    candidates: Sequence[Candidate],
    rules: Rules,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """From the very weights that the others start from; as `hrta.trainers` says."""
    start = DeepNetworks.of_two_layer(
        TwoLayer.initialise(seeds, problem.inputs, width),
        contestant.activation,
        contestant.adaptive,
        contestant.scale,
    )
    started = time.perf_counter()
    history, _ = train_networks(
        problem,
        start,
        rules.evaluations,
        [candidate.learning_rate for candidate in candidates],
        decay=rules.decay,
        recovery=candidates[0].recovery or 0.0,
        log_every=max(1, rules.evaluations // rules.rows),
    )
    # It minimises the mean square; ours is half of it.
    for name in history.columns.intersection(["loss", "test_loss"]):
        history[name] /= 2
    return timed(history, started)
