"""The steps of the torch engine: kernels launched one by one, or replayed from CUDA graphs."""

import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from hrta.training.engines.state import EngineState
from hrta.training.optimizers import Optimizer

if TYPE_CHECKING:
    from hrta.training.engines.torch_engine import Function

LOG = logging.getLogger(__name__)
# With fewer steps, capturing them would take longer than it saves.
GRAPHED_STEPS = 50
# Steps before a capture, in which libraries prepare themselves.
WARM_UP = 3


class Steps:
    """The two halves of a step: loss and gradient, and the update. All changes are in place.

    Args:
        function, optimizer: as of the engine.
        state: parameters, moments, corrections and diverged are changed.
        gradient: memory for the gradient, in the layout of the parameters.
        s: what the function's `prepare_s` returned.

    Attributes:
        s: as given.
        losses: of each run before the last update, [R].
        alive: whether each run had not diverged then, [R].
    """

    losses: Tensor

    def __init__(
        self,
        function: "Function",
        optimizer: Optimizer,
        state: EngineState,
        gradient: Tensor,
        s: Any,
    ) -> None:
        self._function, self._optimizer = function, optimizer
        self._state, self._gradient, self.s = state, gradient, s
        self.alive = state.diverged < 0
        self._step = torch.full_like(state.diverged[:1], state.step)

    @property
    def changed(self) -> tuple[Tensor, ...]:
        """The tensors that steps change and depend on."""
        state = self._state
        return (
            *(state.parameters, state.moments, state.corrections, state.diverged),
            *(self.alive, self._step),
        )

    def evaluate(self, sample: Any) -> None:
        """Compute losses and gradients, and find the runs that have diverged."""
        parameters, diverged = self._state.parameters, self._state.diverged
        self.losses = self._function.value_and_gradient(parameters, self.s, self._gradient, sample)
        finite = self.losses.abs() < math.inf
        torch.where(self.alive & ~finite, self._step, diverged, out=diverged)
        self.alive &= finite
        self._step += 1

    def update(self, rate: Tensor) -> None:
        """Update the runs that have not diverged; the rate broadcasts against the parameters."""
        state = self._state
        update = self._optimizer.update(self._gradient, rate, state.moments, state.corrections)
        # To test this is faster than to fill; on a GPU it would wait for the device.
        if update.device.type != "cpu" or not self.alive.all():
            update.masked_fill_(~self.alive.view(-1, *[1] * (update.ndim - 1)), 0)
        state.parameters += update


class GraphedSteps:
    """The same on a GPU, replayed from two CUDA graphs: launching kernels costs most of a step.

    Args:
        steps: the steps, before the first of them.
        sample, rate: of any step, for their shapes.
    """

    def __init__(self, steps: Steps, sample: Any, rate: Tensor) -> None:
        self._steps, self.s, self.alive = steps, steps.s, steps.alive
        self._sample, self._rate = _map(torch.clone, sample), rate.clone()
        saved = [each.clone() for each in steps.changed]
        try:
            self._warm_up()
            self._evaluation = capture(lambda: steps.evaluate(self._sample))
            self._change = capture(lambda: steps.update(self._rate))
        finally:
            for each, value in zip(steps.changed, saved, strict=True):
                each.copy_(value)

    @property
    def losses(self) -> Tensor:
        """As of `Steps`."""
        return self._steps.losses

    def _warm_up(self) -> None:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self._steps.evaluate(self._sample)
                self._steps.update(self._rate)
        torch.cuda.current_stream().wait_stream(stream)

    def evaluate(self, sample: Any) -> None:
        """As `Steps.evaluate`."""
        _copy(self._sample, sample)
        self._evaluation.replay()

    def update(self, rate: Tensor) -> None:
        """As `Steps.update`."""
        self._rate.copy_(rate)
        self._change.replay()


def capture(work: Callable[[], None]) -> torch.cuda.CUDAGraph:
    """The CUDA graph of all kernels that `work` launches."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph


def capture_steps(steps: Steps, sample: Any, rate: Tensor) -> GraphedSteps | None:
    """The steps as CUDA graphs; None if they cannot be captured, and the reason is logged."""
    try:
        return GraphedSteps(steps, sample, rate)
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        LOG.warning("engine torch: no CUDA graph: %s; kernels are launched one by one", reason)
        return None


def _map(function: Callable[[Tensor], Tensor], sample: Any) -> Any:
    """The function of the tensors of a sample: None, a tensor or a named tuple of tensors."""
    if sample is None or isinstance(sample, Tensor):
        return sample if sample is None else function(sample)
    return type(sample)(*map(function, sample))


def _copy(target: Any, source: Any) -> None:
    """Copy the tensors of a sample into those of another one."""
    if isinstance(target, Tensor):
        target.copy_(source)
    elif target is not None:
        for into, each in zip(target, source, strict=True):
            into.copy_(each)
