"""The numba engine: compiled loops on the CPU, one network per thread."""

import numpy as np
from torch import Tensor

from hrta.networks.two_layer import TwoLayer
from hrta.training.engines.engine import ThreadedEngine
from hrta.training.engines.state import check_range
from hrta.training.kernels import dense, loop
from hrta.training.kernels.updates import OPTIMIZER_CODES
from hrta.training.kernels.vectors import VECTOR_BYTES
from hrta.training.packing import pack, points_and_targets, tested_points, unpack
from hrta.training.task import Task


class NumbaEngine(ThreadedEngine):
    """Two-layer regression on a CPU.

    The kernel is `hrta.training.kernels.one_dimensional` for d = 1, otherwise
    `hrta.training.kernels.dense`.
    """

    name = "numba"
    rows = 2

    def __init__(self, task: Task) -> None:
        networks, problem = task.networks, task.problem
        inner, is_sorted = networks.inner, networks.inputs == 1
        parameters = pack(networks, 1 if is_sorted else VECTOR_BYTES // inner.itemsize)
        runs, rows, padded = parameters.shape
        super().__init__(task, parameters, np.zeros((runs, rows - 1)))
        self.state.switches = np.zeros((runs, 2, padded if is_sorted else 0), np.int32)
        self._width, self._scalar = networks.width, self.state.parameters.dtype.type
        x, y = points_and_targets(problem.x, problem.y, inner)
        tested = tested_points(problem, inner)
        self.measures = 2 if tested else 1
        self._points = Points(x, y, is_sorted)
        self._test = Points(*(tested or (x[:0], y[:0])), is_sorted)
        # The position of each point in the order of the engine.
        self._position = np.argsort(self._points.order)
        self._state_changed()
        # Compile here, in the main thread: only the main thread receives SIGTERM.
        self._advance_run(0, 1.0, np.empty(0), np.empty(0, bool), np.empty((2, 0)))
        self._measure_run(0, 1.0, np.empty((2, 1)))

    def _state_changed(self) -> None:
        self._targets = self._points.targets(self.state.skip)
        self._test_targets = self._test.targets(self.state.skip)

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        super().restore(arrays)
        # The kernel looks for the switches from these positions on.
        last = np.array([[len(self._points.order)], [len(self._test.order)]])
        check_range("switches", self.state.switches, 0, last)

    def _data_of(self, run: int) -> tuple[np.ndarray, ...]:
        """Points, targets, test points and test targets of a run, as `loop.advance` needs them."""
        return self._points.x, self._targets[run], self._test.x, self._test_targets[run]

    def _advance_run(
        self, run: int, s: float, factors: np.ndarray, logged: np.ndarray, measured: np.ndarray
    ) -> int:
        state, task = self.state, self.task
        return loop.advance(
            self._data_of(run),
            state.switches[run],
            state.parameters[run],
            state.moments[run],
            state.corrections[run],
            self._scalar(s),
            self._scalar(self._width**-0.5),
            OPTIMIZER_CODES[task.optimizer],
            self._scalar(task.momentum),
            task.fixed_outer,
            self._batches_of(run, len(factors)),
            task.learning_rate[state.runs[run]] * factors,
            logged,
            measured,
        )

    def _batches_of(self, run: int, steps: int) -> np.ndarray:
        """The points of the next updates, in the engine's order, [T, b]; b = 0 for full batches."""
        batches, first = self.task.batches, self.state.step
        if batches is None or not steps:
            return np.empty((steps, 0), np.int64)
        return self._position[batches.of_run(self.state.runs[run], first, first + steps)]

    def _measure_run(self, run: int, s: float, measured: np.ndarray) -> int:
        losses = loop.measure(
            self._data_of(run),
            self.state.switches[run],
            self.state.parameters[run],
            self._scalar(s),
            self._scalar(self._width**-0.5),
        )
        if not np.isfinite(losses[0]):
            return 0
        measured[:, 0] = losses
        return -1

    def networks(self, runs: np.ndarray | slice = slice(None)) -> TwoLayer:
        return unpack(self.state.parameters[runs], self._width)


class Points:
    """Points in the layout of the kernel: in increasing order in one dimension, else packed.

    Attributes:
        x: the points.
        order: the original index of each point, [n].
    """

    def __init__(self, x: Tensor, y: Tensor, is_sorted: bool) -> None:
        self._x, self._y = x.double().numpy(), y.numpy()
        if is_sorted:
            self.order = np.argsort(x[:, 0].numpy(), kind="stable")
            self.x = x[:, 0].numpy()[self.order]
        else:
            self.order, self.x = np.arange(len(x)), dense.pack(x.numpy())

    def targets(self, skip: np.ndarray) -> np.ndarray:
        """The targets minus the skip term c . (x, 1) of each run, c [R, d + 1]; returns [R, n]."""
        # Not a matrix product: its rounding may depend on the number of runs.
        values = (skip[:, None, :] * self._x).sum(-1)
        return np.take(self._y - values, self.order, axis=1).astype(self._y.dtype)
