"""What a trainer of a race is asked for."""

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
class Task(Generic[Method]):
    """Networks to train with one method; two-layer networks start from the weights of their seeds.

    Attributes:
        problem: the points.
        width: of the networks.
        method: how they are trained.
        candidates: the tuned parameters of each network; they differ in the learning rate alone.
        seeds: of each network.
        evaluations: of the gradient that each may use.
        decay: final over initial learning rate, where there is one.
        rows: logged of each, about; L-BFGS and ANMIN have rows of their own.
    """

    problem: Problem
    width: int
    method: Method
    candidates: Sequence[Candidate]
    seeds: Sequence[int]
    evaluations: int
    decay: float
    rows: int = 200

    @property
    def learning_rates(self) -> list[float]:
        """Of each network."""
        return [candidate.learning_rate for candidate in self.candidates]

    def two_layer_networks(self) -> TwoLayer:
        """Two-layer networks to start from, in float32."""
        return TwoLayer.initialise(self.seeds, self.problem.inputs, self.width)


def timed(history: pd.DataFrame, started: float, evaluations: float = 1.0) -> pd.DataFrame:
    """With evaluations, so many at each step, and a run's share of the time since."""
    runs, steps = history["run"].max() + 1, history["step"].max()
    each = (time.perf_counter() - started) / (runs * steps)
    return history.assign(evaluations=history["step"] * evaluations, seconds=history["step"] * each)
