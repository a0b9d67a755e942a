"""What every engine does: hold an ensemble in training and move it on by some steps."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from hrta.runtime.processes import in_threads
from hrta.runtime.resumable import RunStates, as_array
from hrta.training.optimizers import OPTIMIZERS
from hrta.training.task import Task


@dataclass(eq=False)
class EngineState(RunStates):
    """All that training changes, in arrays or tensors, the runs along the first axis.

    Attributes:
        step: updates made so far.
        runs: the number of each run in the task, [R].
        diverged: the step at which the loss of each run was found to be non-finite, [R]; -1 for a
            run that has not diverged.
        parameters: [R, ...], packed as the engine likes.
        moments: of the optimizer, [R, state size, ...].
        corrections: of Adam's two moments, 1 - beta^t, [R, 2] float64.
        skip: what function-preserving switches have added to the functions, c of c . (x, 1),
            [R, d + 1] float64.
        switches: what the one-dimensional kernel knows from the last call.
    """

    step: int
    runs: np.ndarray
    diverged: np.ndarray | Tensor
    parameters: np.ndarray | Tensor
    moments: np.ndarray | Tensor
    corrections: np.ndarray | Tensor
    skip: np.ndarray | None = None
    switches: np.ndarray | None = None


class Engine(ABC):
    """An ensemble in training; begins with a copy of the networks of the task.

    The parameters of a diverged run stay as they are, and what is measured of it is infinite (the
    share of wrong classes 1).

    Args:
        task: what does not change.
        parameters: a copy of the networks' parameters, packed, [R, ...].
        skip: the first skip terms, for two-layer regression.

    Attributes:
        name: what it is asked for by.
        task: what does not change.
        state: what changes.
        longest_piece: the most steps for one call of `advance`.
    """

    name: ClassVar[str]
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
        """T updates.

        Args:
            s: homotopy parameter of each run, [R] float64.
            factors: of the learning rate at each step, [T] float64.
            logged: before which of the updates to measure, [T] bool.

        Returns:
            K measures of each run, the loss first, [K, R, logged] float64.
        """

    @abstractmethod
    def measure(self, s: np.ndarray) -> np.ndarray:
        """The measures of each run as it is now, [K, R], for s as in `advance`."""

    @abstractmethod
    def networks(self, runs: np.ndarray | slice = slice(None)) -> Any:
        """Copies of the networks `runs`, [R'] indices, as they are now; all by default."""

    @property
    def diverged(self) -> np.ndarray:
        """`EngineState.diverged` as an array."""
        return as_array(self.state.diverged)

    def reset(self, runs: np.ndarray) -> None:
        """Let the optimizer of the chosen runs, a mask [R], start afresh."""
        self.state.moments[runs] = 0
        self.state.corrections[runs] = 0

    def branch(self, parents: np.ndarray) -> None:
        """Go on with copies of the runs `parents`, [R'] indices, and of their optimizers' state."""
        self.state = self.state.select(parents)
        self._follow_state()

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from a state that was kept as arrays."""
        self.state = self.state.restored(arrays)
        self._follow_state()

    def preserve(self, before: np.ndarray, after: np.ndarray) -> None:
        """Go over from s = before to after, [R] each, with the same functions.

        For two-layer networks packed as [R, d + 2, m] with the outer weights in the last row. The
        networks' share of the linear part that changes goes into `skip`, which is not trained:
        targets are met by the networks and the skip term together.
        """
        state, diverged = self.state, self.diverged >= 0
        before, after = np.where(diverged, 1.0, before), np.where(diverged, 1.0, after)
        networks = self.networks()
        moved, skip = networks.preserving(before, after)
        state.skip = state.skip + skip
        state.parameters[:, -1, : networks.width] = moved.outer
        self._follow_state()

    @abstractmethod
    def _follow_state(self) -> None:
        """Adapt what depends on the runs in the state, or on their skip terms."""


class ThreadedEngine(Engine):
    """Trains each network by itself, on as many threads as torch has, so threads change no number.

    Attributes:
        measures: K.
        rows: how many rows of measures the compiled code writes, the first K of them for use.
    """

    measures: int
    rows: ClassVar[int]

    def __init__(self, task: Task, parameters: Tensor, skip: np.ndarray | None = None) -> None:
        super().__init__(task, parameters, skip)
        self.state = self.state.as_numpy()

    @abstractmethod
    def _advance_run(
        self, run: int, s: float, factors: np.ndarray, logged: np.ndarray, measured: np.ndarray
    ) -> int:
        """Move a run on and write its measures [rows, logged]; updates before divergence or -1."""

    @abstractmethod
    def _measure_run(self, run: int, s: float, measured: np.ndarray) -> int:
        """Write the measures of one run as it is now, [rows, 1]; 0 if it has diverged, else -1."""

    def advance(self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray) -> np.ndarray:
        measured = self._of_all_runs(
            lambda run, row: self._advance_run(run, s[run], factors, logged, row),
            np.count_nonzero(logged),
        )
        self.state.step += len(factors)
        return measured

    def measure(self, s: np.ndarray) -> np.ndarray:
        return self._of_all_runs(lambda run, row: self._measure_run(run, s[run], row), 1)[..., 0]

    def _of_all_runs(self, work: Callable[[int, np.ndarray], int], count: int) -> np.ndarray:
        """What `work` measures of each run that has not diverged, [K, R, count]."""
        state = self.state
        measured = np.full((len(state.runs), self.rows, count), np.inf)
        alive = np.flatnonzero(state.diverged < 0)
        found = in_threads(lambda run: work(run, measured[run]), alive)
        for run, updates in zip(alive, found, strict=True):
            if updates >= 0:
                state.diverged[run] = state.step + updates
        return measured.transpose(1, 0, 2)[: self.measures]
