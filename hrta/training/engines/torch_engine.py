"""The torch engine: all networks in batched operations, on any device and in any dtype."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hrta.runtime.processes import denormals_flushed, one_cpu_thread
from hrta.training.engines.engine import Engine
from hrta.training.engines.state import EngineState
from hrta.training.optimizers import make_optimizer
from hrta.training.task import Task


class Function(ABC):
    """The function of the packed parameters [R, ...] that R runs minimise.

    Attributes:
        worst: the K measures of a diverged run.
    """

    worst: Sequence[float]

    @abstractmethod
    def value_and_gradient(
        self, parameters: Tensor, s: Any, gradient: Tensor, point_weights: Tensor | None = None
    ) -> Tensor:
        """The loss of each run, [R]; its gradient is written to `gradient`.

        Args:
            parameters: [R, ...].
            s: what `prepare_s` returns.
            gradient: output, in the layout of the parameters.
            point_weights: weight of each point in the gradient, [R, n]; None for 1.
        """

    @abstractmethod
    def test_measures(self, parameters: Tensor, s: Any) -> list[Tensor]:
        """The measures besides the loss, [R] each."""

    @abstractmethod
    def networks(self, parameters: Tensor) -> Any:
        """The networks with a copy of these parameters."""

    def prepare_s(self, s: np.ndarray, like: Tensor) -> Any:
        """The homotopy parameter of each run in the form that the other methods need."""
        return torch.tensor(s, dtype=like.dtype, device=like.device)

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
        self._function = function
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
        state, parameters = self.state, self.state.parameters
        rows, alive_at_rows = [], []
        batches = self._next_batches(len(factors))
        with torch.inference_mode(), one_cpu_thread(), denormals_flushed():
            s = self._function.prepare_s(s, parameters)
            alive = state.diverged < 0
            for step, rate in enumerate(self._rates_of(factors)):
                weights = None if batches is None else self._point_weights(batches[step])
                losses = self._function.value_and_gradient(parameters, s, self._gradient, weights)
                alive = self._still_alive(alive, losses, state.step + step)
                if logged[step]:
                    rows.append(self._measures(losses, s))
                    alive_at_rows.append(alive)
                update = self._optimizer.update(
                    self._gradient, rate, state.moments, state.corrections
                )
                # To test this is faster than to fill; on a GPU it would wait for the device.
                if parameters.device.type != "cpu" or not alive.all():
                    update.masked_fill_(~alive.view(self._per_run), 0)
                parameters += update
            state.step += len(factors)
            if not rows:
                return np.empty((len(self._function.worst), len(alive), 0))
            return self._table(rows, alive_at_rows)

    def measure(self, s: np.ndarray) -> np.ndarray:
        state = self.state
        with torch.inference_mode(), one_cpu_thread(), denormals_flushed():
            s = self._function.prepare_s(s, state.parameters)
            losses = self._function.value_and_gradient(state.parameters, s, self._gradient)
            alive = self._still_alive(state.diverged < 0, losses, state.step)
            return self._table([self._measures(losses, s)], [alive])[..., 0]

    def _rates_of(self, factors: np.ndarray) -> tuple[Tensor, ...]:
        """The learning rate of each run at each step, in a shape that broadcasts."""
        factors = torch.tensor(factors, device=self._rates.device)
        rates = (factors[:, None] * self._rates).to(self.state.parameters.dtype)
        return rates.view(len(factors), *self._per_run).unbind()

    def _still_alive(self, alive: Tensor, losses: Tensor, step: int) -> Tensor:
        still = alive & (losses.abs() < math.inf)
        self.state.diverged.masked_fill_(alive ^ still, step)
        return still

    def _measures(self, losses: Tensor, s: Any) -> Tensor:
        """The measures of each run, [K, R]."""
        return torch.stack([losses, *self._function.test_measures(self.state.parameters, s)])

    def _table(self, rows: list[Tensor], alive: list[Tensor]) -> np.ndarray:
        """The measures of all rows, [K, R, rows] float64, the worst ones for a diverged run."""
        measured = torch.stack(rows, dim=2).double()
        worst = measured.new_tensor(self._function.worst)[:, None, None]
        return torch.where(torch.stack(alive, dim=1), measured, worst).cpu().numpy()

    def _next_batches(self, steps: int) -> Tensor | None:
        """The points of the next updates, [T, R, b]."""
        batches, first = self.task.batches, self.state.step
        if batches is None:
            return None
        of_runs = [batches.of_run(run, first, first + steps) for run in self.state.runs]
        return torch.as_tensor(np.stack(of_runs, axis=1), device=self._rates.device)

    def _point_weights(self, batch: Tensor) -> Tensor:
        """The weight of each point, [R, n]: n/b in the batch [R, b], else 0."""
        batches = self.task.batches
        weights = self.state.parameters.new_zeros(len(batch), batches.points)
        return weights.scatter_(1, batch, batches.points / batches.size)

    def networks(self, runs: np.ndarray | slice = slice(None)) -> Any:
        return self._function.networks(self.state.parameters[runs])
