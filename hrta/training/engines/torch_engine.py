"""The torch engine: all networks in batched operations, on any device and in any dtype."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from hrta.runtime.processes import denormals_flushed, one_cpu_thread
from hrta.training.engines.engine import Engine
from hrta.training.engines.state import EngineState
from hrta.training.engines.torch_steps import GRAPHED_STEPS, GraphedSteps, Steps, capture_steps
from hrta.training.optimizers import make_optimizer
from hrta.training.task import Task


class StepSamples(Protocol):
    """What is random in each of several updates."""

    def __getitem__(self, step: int, /) -> Any: ...


class Function(ABC):
    """The function of the packed parameters [R, ...] that R runs minimise.

    Attributes:
        worst: the K measures of a diverged run.
        longest_piece: maximal number of steps of one call of `samples`.
    """

    worst: Sequence[float]
    longest_piece: int = sys.maxsize

    @abstractmethod
    def value_and_gradient(
        self, parameters: Tensor, s: Any, gradient: Tensor, sample: Any
    ) -> Tensor:
        """The loss of each run, [R]; its gradient is written to `gradient`.

        Args:
            parameters: [R, ...].
            s: what `prepare_s` returns.
            gradient: output, in the layout of the parameters.
            sample: that of the step.
        """

    @abstractmethod
    def test_measures(self, parameters: Tensor, s: Any, sample: Any) -> list[Tensor]:
        """The measures besides the loss, [R] each."""

    @abstractmethod
    def networks(self, parameters: Tensor) -> Any:
        """The networks with a copy of these parameters."""

    def prepare_s(self, s: np.ndarray, like: Tensor) -> Any:
        """The homotopy parameter of each run in the form that the other methods need."""
        return torch.tensor(s, dtype=like.dtype, device=like.device)

    def samples(self, state: EngineState, logged: np.ndarray) -> StepSamples:
        """What is random in each of the next T updates, in the form that the other methods need.

        Args:
            state: the state before these updates.
            logged: whether to measure before each update, [T].
        """
        return [None] * len(logged)

    def state_changed(self, state: EngineState) -> None:  # noqa: B027 (most derive nothing)
        """Update what is derived from the runs or the skip terms of the state."""


class TorchEngine(Engine):
    """Minimises any `Function` by any of `OPTIMIZERS`; on a CPU it uses one thread.

    Args:
        function: the function to minimise.
        task, parameters, skip: as for every engine.
    """

    name = "torch"

    def __init__(
        self, task: Task, function: Function, parameters: Tensor, skip: np.ndarray | None = None
    ) -> None:
        super().__init__(task, parameters, skip)
        self._function, self.longest_piece = function, function.longest_piece
        self.measures = len(function.worst)
        # Until a capture fails.
        self._has_graphs = parameters.is_cuda
        self._optimizer = make_optimizer(task.optimizer, task.momentum)
        self._state_changed()

    def _state_changed(self) -> None:
        parameters = self.state.parameters
        rates = self.task.learning_rate[self.state.runs]
        self._rates = torch.tensor(rates, device=parameters.device)
        # The shape that broadcasts one number per run against the parameters.
        self._per_run = (len(parameters), *[1] * (parameters.ndim - 1))
        self._gradient = torch.zeros_like(parameters)
        self._function.state_changed(self.state)

    def advance(self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray) -> np.ndarray:
        state, rows, alive_at_rows = self.state, [], []
        samples = self._function.samples(state, logged)
        with self._context():
            single, rates = self._steps(s), self._rates_of(factors)
            steps: Steps | GraphedSteps = single
            if self._has_graphs and len(rates) >= GRAPHED_STEPS:
                graphed = capture_steps(single, samples[0], rates[0])
                self._has_graphs = graphed is not None
                steps = graphed or single
            for step, rate in enumerate(rates):
                steps.evaluate(samples[step])
                if logged[step]:
                    rows.append(self._measures(steps, samples[step]))
                    alive_at_rows.append(steps.alive.clone())
                steps.update(rate)
            state.step += len(factors)
            if not rows:
                return np.empty((self.measures, len(steps.alive), 0))
            return self._table(rows, alive_at_rows)

    def measure(self, s: np.ndarray) -> np.ndarray:
        state = self.state
        sample = self._function.samples(state, np.ones(1, bool))[0]
        with self._context():
            steps = self._steps(s)
            steps.evaluate(sample)
            return self._table([self._measures(steps, sample)], [steps.alive])[..., 0]

    @contextmanager
    def _context(self) -> Iterator[None]:
        with (
            torch.cuda.device_of(self.state.parameters),
            torch.inference_mode(),
            one_cpu_thread(),
            denormals_flushed(),
        ):
            yield

    def _steps(self, s: np.ndarray) -> Steps:
        """The next steps; s is that of each run."""
        prepared = self._function.prepare_s(s, self.state.parameters)
        return Steps(self._function, self._optimizer, self.state, self._gradient, prepared)

    def _rates_of(self, factors: np.ndarray) -> tuple[Tensor, ...]:
        """The learning rate of each run at each step, in a shape that broadcasts."""
        columns = torch.tensor(factors, device=self._rates.device)[:, None]
        rates = (columns * self._rates).to(self.state.parameters.dtype)
        return rates.view(len(factors), *self._per_run).unbind()

    def _measures(self, steps: Steps | GraphedSteps, sample: Any) -> Tensor:
        """The measures of each run, [K, R] float64."""
        others = self._function.test_measures(self.state.parameters, steps.s, sample)
        return torch.stack([each.double() for each in (steps.losses, *others)])

    def _table(self, rows: list[Tensor], alive: list[Tensor]) -> np.ndarray:
        """The measures of all rows, [K, R, rows] float64, the worst ones for a diverged run."""
        measured = torch.stack(rows, dim=2)
        worst = measured.new_tensor(self._function.worst)[:, None, None]
        return torch.where(torch.stack(alive, dim=1), measured, worst).cpu().numpy()

    def networks(self, runs: np.ndarray | slice = slice(None)) -> Any:
        return self._function.networks(self.state.parameters[runs])
