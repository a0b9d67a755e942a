"""The numba engine: compiled loops, one network to a thread."""

import numpy as np
from torch import Tensor

from hrta.networks.two_layer import TwoLayer
from hrta.training.engines.engine import ThreadedEngine
from hrta.training.kernels import dense, loop
from hrta.training.kernels.simd import VECTOR_BYTES
from hrta.training.kernels.updates import OPTIMIZER_CODES
from hrta.training.packing import pack, points_and_targets, unpack
from hrta.training.task import Task


class NumbaEngine(ThreadedEngine):
    """Two-layer regression on a CPU.

    In one dimension with the kernel of `hrta.training.kernels.one_dimensional`, else with that of
    `hrta.training.kernels.dense`.
    """

    name = "numba"
    rows = 2

    def __init__(self, task: Task) -> None:
        networks, problem = task.networks, task.problem
        inner, in_order = networks.inner, networks.inputs == 1
        parameters = pack(networks, 1 if in_order else VECTOR_BYTES // inner.itemsize)
        runs, rows, padded = parameters.shape
        super().__init__(task, parameters, np.zeros((runs, rows - 1)))
        self.state.switches = np.zeros((runs, 2, padded if in_order else 0), np.int32)
        self._width, self._kind = networks.width, self.state.parameters.dtype.type
        x, y = points_and_targets(problem.x, problem.y, inner)
        tested = points_and_targets(problem.x_test, problem.y_test, inner)
        self.measures = 2 if tested else 1
        self._points = _Points(x, y, in_order)
        self._test = _Points(*(tested or (x[:0], y[:0])), in_order)
        # Where each point went when they were put in order.
        self._place = np.argsort(self._points.order)
        self._follow_state()
        # Compiles here, in the main thread, which alone hears when the process is told to end.
        self._advance_run(0, 1.0, np.empty(0), np.empty(0, bool), np.empty((2, 0)))
        self._measure_run(0, 1.0, np.empty((2, 1)))

    def _follow_state(self) -> None:
        self._targets = self._points.targets(self.state.skip)
        self._test_targets = self._test.targets(self.state.skip)

    def _data_of(self, run: int) -> tuple[np.ndarray, ...]:
        """Points and targets, test points and test targets, as `loop.advance` wants them."""
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
            self._kind(s),
            self._kind(self._width**-0.5),
            OPTIMIZER_CODES[task.optimizer],
            self._kind(task.momentum),
            task.fixed_outer,
            self._batches_of(run, len(factors)),
            task.learning_rate[state.runs[run]] * factors,
            logged,
            measured,
        )

    def _batches_of(self, run: int, steps: int) -> np.ndarray:
        """The points of the next updates, in the engine's order, [T, b]; b = 0 for all points."""
        batches, first = self.task.batches, self.state.step
        if batches is None or not steps:
            return np.empty((steps, 0), np.int64)
        return self._place[batches.of_run(self.state.runs[run], first, first + steps)]

    def _measure_run(self, run: int, s: float, measured: np.ndarray) -> int:
        losses = loop.measure(
            self._data_of(run),
            self.state.switches[run],
            self.state.parameters[run],
            self._kind(s),
            self._kind(self._width**-0.5),
        )
        if not np.isfinite(losses[0]):
            return 0
        measured[:, 0] = losses
        return -1

    def networks(self, runs: np.ndarray | slice = slice(None)) -> TwoLayer:
        return unpack(self.state.parameters[runs], self._width)


class _Points:
    """Points as a kernel wants them: in increasing order in one dimension, else packed.

    Attributes:
        x: the points.
        order: of the points, [n].
    """

    def __init__(self, x: Tensor, y: Tensor, in_order: bool) -> None:
        self._x, self._y = x.double().numpy(), y.numpy()
        if in_order:
            self.order = np.argsort(x[:, 0].numpy(), kind="stable")
            self.x = x[:, 0].numpy()[self.order]
        else:
            self.order, self.x = np.arange(len(x)), dense.pack(x.numpy())

    def targets(self, skip: np.ndarray) -> np.ndarray:
        """The targets less the skip term c . (x, 1) of each run, c [R, d + 1]; [R, n]."""
        # Not a matrix product, whose rounding may depend on how many runs there are.
        values = (skip[:, None, :] * self._x).sum(-1)
        return np.take(self._y - values, self.order, axis=1).astype(self._y.dtype)
