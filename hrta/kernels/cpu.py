"""The CPU engine: compiled loops, one network to a thread, so threads change no number."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from hrta.kernels import dense, loop
from hrta.kernels.engine import Engine, Points, Setting
from hrta.kernels.simd import VECTOR_BYTES
from hrta.kernels.updates import OPTIMIZER_CODES
from hrta.networks import TwoLayer
from hrta.optimizers import OPTIMIZERS


class CpuEngine(Engine):
    """Trains each network by itself, on as many threads as torch has.

    In one dimension with the kernel of `hrta.kernels.sorted`, else with that of
    `hrta.kernels.dense`.
    """

    name = "cpu"
    _of_each_run = (
        *("diverged", "_learning_rate"),
        *("_parameters", "_state", "_corrections", "_switches"),
    )

    def __init__(self, networks: TwoLayer, setting: Setting) -> None:
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
        lay_out = _in_order if in_order else _packed
        test = setting.test or Points(setting.points.x[:0], setting.points.y[:0])
        self._data = (*lay_out(setting.points), *lay_out(test))
        self._setting = setting
        self._batches = setting.batches
        # Where each point went when they were put in order.
        self._place = (
            np.argsort(_order(setting.points)) if in_order else np.arange(len(self._data[1]))
        )
        self._learning_rate = setting.learning_rate
        self._step = 0
        self.diverged = np.full(networks.runs, -1)
        # Compiles here, in the main thread, which alone hears when the process is told to end.
        self._advance_run(0, 1.0, np.empty(0), np.empty(0, bool), np.empty((2, 0)))
        self._measure_run(0, 1.0)

    def _advance_run(
        self, run: int, s: float, factors: np.ndarray, logged: np.ndarray, losses: np.ndarray
    ) -> int:
        kind = self._parameters.dtype.type
        return loop.advance(
            self._data,
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

    def _batches_of(self, run: int, steps: int) -> np.ndarray:
        """The points of the next updates, in the engine's order, [T, b]; b = 0 for all points."""
        if self._batches is None or not steps:
            return np.empty((steps, 0), np.int64)
        return self._place[self._batches.of_run(run, self._step, self._step + steps)]

    def _measure_run(self, run: int, s: float) -> tuple[float, float]:
        kind = self._parameters.dtype.type
        return loop.measure(
            self._data,
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
        for run, updates in zip(well, _in_threads(advance_run, well), strict=True):
            if updates >= 0:
                self.diverged[run] = self._step + updates
        self._step += len(factors)
        return losses[:, 0], losses[:, 1]

    def measure(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        losses = np.array(_in_threads(lambda run: self._measure_run(run, s[run]), range(len(s))))
        self.diverged[(self.diverged < 0) & ~np.isfinite(losses[:, 0])] = self._step
        losses[self.diverged >= 0] = np.inf
        return losses[:, 0], losses[:, 1]

    def reset(self, runs: np.ndarray) -> None:
        self._state[runs] = 0
        self._corrections[runs] = 0

    def branch(self, parents: np.ndarray) -> None:
        super().branch(parents)
        self._batches = self._batches and self._batches.branch(parents)

    def networks(self) -> TwoLayer:
        weights = torch.from_numpy(self._parameters[:, :, : self._width].copy())
        return TwoLayer(weights[:, :-1].contiguous(), weights[:, -1].contiguous())


def _in_order(points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Points [n] in increasing order, without the ones, and their targets."""
    order = _order(points)
    return points.x[:, 0].numpy()[order], points.y.numpy()[order]


def _order(points: Points) -> np.ndarray:
    return np.argsort(points.x[:, 0].numpy(), kind="stable")


def _packed(points: Points) -> tuple[np.ndarray, np.ndarray]:
    return dense.pack(points.x.numpy()), points.y.numpy().copy()


def _in_threads(task: Callable, runs: Iterable[int]) -> list:
    """The task's results for all runs, on as many threads as torch has."""
    pool = ThreadPoolExecutor(torch.get_num_threads())
    try:
        return list(pool.map(task, runs))
    finally:
        pool.shutdown(cancel_futures=True)
