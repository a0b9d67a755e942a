"""The interface of the engines, which train an ensemble a number of steps at a time."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from hrta.runtime.processes import in_threads
from hrta.training.engines.state import EngineState, as_array, check_range
from hrta.training.optimizers import OPTIMIZERS
from hrta.training.task import Task


class Engine(ABC):
    """An ensemble in training, initially a copy of the networks of the task.

    The parameters of a diverged run do not change any more, and its measures are infinite (its
    classification error is 1).

    Args:
        task: the training task.
        parameters: a copy of the networks' parameters, packed, [R, ...].
        skip: the initial skip terms, for two-layer regression.

    Attributes:
        name: name of the engine.
        task: the training task.
        state: everything that an update changes.
        measures: K, the number of measures.
        longest_piece: maximal number of steps of one call of `advance`.
    """

    name: ClassVar[str]
    measures: int
    longest_piece: int = sys.maxsize

    def __init__(self, task: Task, parameters: Tensor, skip: np.ndarray | None = None) -> None:
        runs, *shape = parameters.shape
        size = OPTIMIZERS[task.optimizer].state_size
        self.task = task
        self.state = EngineState(
            step=0,
            runs=np.arange(runs),
            diverged=torch.full((runs,), -1, device=parameters.device),
            parameters=parameters,
            moments=parameters.new_zeros(runs, size, *shape),
            corrections=parameters.new_zeros(runs, 2, dtype=torch.float64),
            skip=skip,
        )

    @abstractmethod
    def advance(self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray) -> np.ndarray:
        """Make T updates.

        Args:
            s: homotopy parameter of each run, [R] float64.
            factors: factor of the learning rate at each step, [T] float64.
            logged: whether to measure before each update, [T] bool.

        Returns:
            K measures of each run, the loss first, [K, R, logged steps] float64.
        """

    @abstractmethod
    def measure(self, s: np.ndarray) -> np.ndarray:
        """The current measures of each run, [K, R]; s as in `advance`."""

    @abstractmethod
    def networks(self, runs: np.ndarray | slice = slice(None)) -> Any:
        """Copies of the current networks of `runs`, [R'] indices; all by default."""

    @property
    def diverged(self) -> np.ndarray:
        """`EngineState.diverged` as an array."""
        return as_array(self.state.diverged)

    def reset(self, runs: np.ndarray) -> None:
        """Reset the optimizer state of the chosen runs, a mask [R]."""
        self.state.moments[runs] = 0
        self.state.corrections[runs] = 0

    def branch(self, parents: np.ndarray) -> None:
        """Replace the ensemble by copies of the runs `parents`, [R'] indices."""
        self.state = self.state.select(parents)
        self._state_changed()

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Restore a state from the arrays of a checkpoint.

        Raises:
            ValueError: arrays that cannot be a state of this training.
        """
        restored, task = self.state.restored(arrays), self.task
        check_range("step", np.asarray(restored.step), 0, task.steps)
        check_range("runs", restored.runs, 0, task.runs - 1)
        check_range("diverged", as_array(restored.diverged), -1, restored.step)
        self.state = restored
        self._state_changed()

    def preserve(self, before: np.ndarray, after: np.ndarray) -> None:
        """Switch from s = before to s = after, [R] each, without a change of the functions.

        For two-layer networks packed as [R, d + 2, m] with the outer weights in the last row. The
        change of the linear part goes into `skip`, which is not trained: the sum of networks and
        skip term fits the targets. See `TwoLayer.preserving`.
        """
        state, diverged = self.state, self.diverged >= 0
        before, after = np.where(diverged, 1.0, before), np.where(diverged, 1.0, after)
        networks = self.networks()
        rescaled, skip = networks.preserving(before, after)
        state.skip = state.skip + skip
        state.parameters[:, -1, : networks.width] = rescaled.outer
        self._state_changed()

    @abstractmethod
    def _state_changed(self) -> None:
        """Update what is derived from the runs or the skip terms of the state."""


class ThreadedEngine(Engine):
    """Trains each network separately, in as many threads as torch has.

    So results do not depend on the number of threads.

    Attributes:
        rows: number of rows that the compiled code writes; the first K are used.
    """

    rows: ClassVar[int]

    def __init__(self, task: Task, parameters: Tensor, skip: np.ndarray | None = None) -> None:
        super().__init__(task, parameters, skip)
        self.state = self.state.as_numpy()

    @abstractmethod
    def _advance_run(
        self, run: int, s: float, factors: np.ndarray, logged: np.ndarray, measured: np.ndarray
    ) -> int:
        """Train one run and write its measures, [rows, logged].

        Returns:
            The number of updates before it diverged, or -1.
        """

    @abstractmethod
    def _measure_run(self, run: int, s: float, measured: np.ndarray) -> int:
        """Write the current measures of one run, [rows, 1]; returns 0 if it diverged, else -1."""

    def advance(self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray) -> np.ndarray:
        measured = self._measure_all(
            lambda run, row: self._advance_run(run, s[run], factors, logged, row),
            int(np.count_nonzero(logged)),
        )
        self.state.step += len(factors)
        return measured

    def measure(self, s: np.ndarray) -> np.ndarray:
        return self._measure_all(lambda run, row: self._measure_run(run, s[run], row), 1)[..., 0]

    def _measure_all(self, work: Callable[[int, np.ndarray], int], count: int) -> np.ndarray:
        """The measures that `work` writes for each run that has not diverged, [K, R, count]."""
        state = self.state
        measured = np.full((len(state.runs), self.rows, count), np.inf)
        alive = np.flatnonzero(state.diverged < 0)
        updates_made = in_threads(lambda run: work(run, measured[run]), alive)
        for run, updates in zip(alive, updates_made, strict=True):
            if updates >= 0:
                state.diverged[run] = state.step + updates
        return measured.transpose(1, 0, 2)[: self.measures]
