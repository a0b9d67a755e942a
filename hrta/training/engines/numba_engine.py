"""The CPU engine: compiled loops, one network to a thread, so threads change no number."""

import numpy as np
import torch
from torch import Tensor

from hrta.networks.two_layer import TwoLayer
from hrta.runtime.processes import in_threads
from hrta.training.engines.engine import Engine, Points, Setting
from hrta.training.kernels import dense, loop
from hrta.training.kernels.simd import VECTOR_BYTES
from hrta.training.kernels.updates import OPTIMIZER_CODES
from hrta.training.optimizers import OPTIMIZERS


class CpuEngine(Engine):
    """Trains each network by itself, on as many threads as torch has.

    In one dimension with the kernel of `hrta.training.kernels.one_dimensional`, else with that of
    `hrta.training.kernels.dense`.
    """

    name = "cpu"
    _of_each_run = (
        *("diverged", "skip", "_learning_rate", "_targets", "_test_targets"),
        *("_parameters", "_state", "_corrections", "_switches"),
    )
    _kept = (*Engine._kept, "_parameters", "_state", "_corrections", "_switches")

    def __init__(self, networks: TwoLayer, setting: Setting) -> None:
        super().__init__(networks, setting)
        inner = networks.inner.detach().numpy()
        self._width = networks.width
        in_order = networks.inputs == 1
        lanes = 1 if in_order else VECTOR_BYTES // inner.itemsize
        padded = -(-self._width // lanes) * lanes
        self._parameters = np.zeros((networks.runs, networks.inputs + 2, padded), inner.dtype)
        self._parameters[:, :-1, : self._width] = inner
        self._parameters[:, -1, : self._width] = networks.outer.detach().numpy()
        own = OPTIMIZERS[setting.optimizer].state_size
        self._state = np.zeros((networks.runs, own, *self._parameters.shape[1:]), inner.dtype)
        self._corrections = np.zeros((networks.runs, 2))
        self._switches = np.zeros((networks.runs, 2, padded if in_order else 0), np.int32)
        test = setting.test or Points(setting.points.x[:0], setting.points.y[:0])
        ordered = _in_order if in_order else _packed
        (self._x, self._order), (self._test_x, self._test_order) = map(
            ordered, (setting.points.x, test.x)
        )
        self._setting, self._test = setting, test
        self._set_targets()
        self._batches = setting.batches
        # Where each point went when they were put in order.
        self._place = np.argsort(self._order)
        self._learning_rate = setting.learning_rate
        self._step = 0
        # Compiles here, in the main thread, which alone hears when the process is told to end.
        self._advance_run(0, 1.0, np.empty(0), np.empty(0, bool), np.empty((2, 0)))
        self._measure_run(0, 1.0)

    def _advance_run(
        self, run: int, s: float, factors: np.ndarray, logged: np.ndarray, losses: np.ndarray
    ) -> int:
        kind = self._parameters.dtype.type
        return loop.advance(
            self._data_of(run),
            self._switches[run],
            self._parameters[run],
            self._state[run],
            self._corrections[run],
            kind(s),
            kind(self._width**-0.5),
            OPTIMIZER_CODES[self._setting.optimizer],
            kind(self._setting.momentum),
            self._setting.fixed_outer,
            self._batches_of(run, len(factors)),
            self._learning_rate[run] * factors,
            logged,
            losses,
        )

    def _data_of(self, run: int) -> tuple[np.ndarray, ...]:
        """Points and targets, test points and test targets, as `loop.advance` wants them."""
        return self._x, self._targets[run], self._test_x, self._test_targets[run]

    def _set_targets(self) -> None:
        """What is left of the targets for each run, [R, n], beside its skip term."""
        self._targets = _less(self._setting.points, self.skip, self._order)
        self._test_targets = _less(self._test, self.skip, self._test_order)

    def _carry(self, networks: TwoLayer) -> None:
        self._parameters[:, -1, : self._width] = networks.outer.numpy()
        self._set_targets()

    def _batches_of(self, run: int, steps: int) -> np.ndarray:
        """The points of the next updates, in the engine's order, [T, b]; b = 0 for all points."""
        if self._batches is None or not steps:
            return np.empty((steps, 0), np.int64)
        return self._place[self._batches.of_run(run, self._step, self._step + steps)]

    def _measure_run(self, run: int, s: float) -> tuple[float, float]:
        kind = self._parameters.dtype.type
        return loop.measure(
            self._data_of(run),
            self._switches[run],
            self._parameters[run],
            kind(s),
            kind(self._width**-0.5),
        )

    def advance(
        self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        losses = np.full((len(s), 2, np.count_nonzero(logged)), np.nan)

        def advance_run(run: int) -> int:
            return self._advance_run(run, s[run], factors, logged, losses[run])

        well = np.flatnonzero(self.diverged < 0)
        losses[self.diverged >= 0] = np.inf
        for run, updates in zip(well, in_threads(advance_run, well), strict=True):
            if updates >= 0:
                self.diverged[run] = self._step + updates
        self._step += len(factors)
        return losses[:, 0], losses[:, 1]

    def measure(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        losses = np.array(in_threads(lambda run: self._measure_run(run, s[run]), range(len(s))))
        self.diverged[(self.diverged < 0) & ~np.isfinite(losses[:, 0])] = self._step
        losses[self.diverged >= 0] = np.inf
        return losses[:, 0], losses[:, 1]

    def reset(self, runs: np.ndarray) -> None:
        self._state[runs] = 0
        self._corrections[runs] = 0

    def branch(self, parents: np.ndarray) -> None:
        super().branch(parents)
        self._batches = self._batches and self._batches.branch(parents)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        super().restore(state)
        self._set_targets()

    def networks(self) -> TwoLayer:
        weights = torch.from_numpy(self._parameters[:, :, : self._width].copy())
        return TwoLayer(weights[:, :-1].contiguous(), weights[:, -1].contiguous())


def _in_order(x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Points [n] in increasing order, without the ones, and that order."""
    order = np.argsort(x[:, 0].numpy(), kind="stable")
    return x[:, 0].numpy()[order], order


def _packed(x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Points as `hrta.training.kernels.dense` wants them, and their order, which stays."""
    return dense.pack(x.numpy()), np.arange(len(x))


def _less(points: Points, skip: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The targets in this order, less the skip term c . (x, 1) of each run, [R, n]."""
    x, y = points.x.double().numpy(), points.y.numpy()
    # Not a matrix product, whose rounding may depend on how many runs there are.
    values = (skip[:, None, :] * x).sum(-1)
    return np.take(y - values, order, axis=1).astype(y.dtype)
