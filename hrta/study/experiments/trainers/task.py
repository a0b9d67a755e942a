"""The input of the trainers of a race."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.study.config.race_methods import Candidate

Method = TypeVar("Method")


@dataclass(frozen=True)
class RaceTask(Generic[Method]):
    """Networks to train with one method; two-layer networks start from the weights of their seeds.

    Attributes:
        problem: the points.
        width: neurons of each hidden layer.
        method: how the networks are trained.
        candidates: the tuned parameters of each network; they differ only in the learning rate.
        seeds: the seed of each network.
        evaluations: gradient evaluations of each network.
        decay: final over initial learning rate, for trainers with a schedule of learning rates.
        device: where the networks are trained, by trainers that can use a GPU.
        rows: approximate number of logged rows of each run; L-BFGS and ANMIN log every step.
    """

    problem: Problem
    width: int
    method: Method
    candidates: Sequence[Candidate]
    seeds: Sequence[int]
    evaluations: int
    decay: float
    device: str
    rows: int = 200

    @property
    def learning_rates(self) -> list[float]:
        """The learning rate of each network."""
        return [candidate.learning_rate for candidate in self.candidates]

    def two_layer_networks(self, device: str) -> TwoLayer:
        """The two-layer networks at initialisation, in float32."""
        return TwoLayer.initialise(self.seeds, self.problem.inputs, self.width, device=device)


def timed(history: pd.DataFrame, started: float, evaluations: float = 1.0) -> pd.DataFrame:
    """The history with the columns evaluations and seconds.

    Args:
        history: table of run, step and losses.
        started: time at which all runs were started together, of `time.perf_counter`.
        evaluations: gradient evaluations of each step.
    """
    runs, steps = history["run"].max() + 1, history["step"].max()
    each = (time.perf_counter() - started) / (runs * steps)
    return history.assign(evaluations=history["step"] * evaluations, seconds=history["step"] * each)
