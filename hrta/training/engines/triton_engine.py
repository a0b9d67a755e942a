"""The triton engine: compiled for a CUDA GPU, one network per program, so runs are independent."""

import subprocess

import numpy as np
import torch
import triton
from torch import Tensor
from triton.runtime import driver

from hrta.networks.two_layer import TwoLayer
from hrta.training.engines.engine import Engine
from hrta.training.kernels.triton_loop import Data, Plan, Tiles, advance, measure
from hrta.training.optimizers import OPTIMIZERS, Adam
from hrta.training.packing import (
    pack,
    points_and_targets,
    tested_points,
    unpack,
    without_skip,
)
from hrta.training.task import Task

# Maximal number of indices of points in the batches of one call: 256 MiB.
BATCH_INDICES = 2**26


class TritonEngine(Engine):
    """Two-layer regression on the device of the networks.

    Args:
        task: the training task.
        tiles: tile sizes of the kernels; chosen by the shapes if not given.

    Attributes:
        plan: the constants of the kernels.

    Raises:
        ValueError: Triton cannot launch kernels on this machine.
    """

    name = "triton"

    def __init__(self, task: Task, tiles: Tiles | None = None) -> None:
        if task.networks.inner.is_cuda:
            _check_launcher()
        problem, parameters = task.problem, pack(task.networks)
        runs, rows, self._width = parameters.shape
        super().__init__(task, parameters, np.zeros((runs, rows - 1)))
        inner = task.networks.inner
        self._points = points_and_targets(problem.x, problem.y, inner)
        tested = tested_points(problem, inner)
        self.measures = 2 if tested else 1
        x, y = self._points
        self._test_points = tested or (x[:0], y[:0])
        batch_size = 0 if task.batches is None else task.batches.size
        self.plan = Plan(
            width=self._width,
            inputs=rows - 1,
            optimizer=task.optimizer,
            momentum=task.momentum,
            state_size=OPTIMIZERS[task.optimizer].state_size,
            beta1=Adam.beta1,
            beta2=Adam.beta2,
            eps=Adam.eps,
            fixed_outer=task.fixed_outer,
            batch_size=batch_size,
            tiles=tiles
            or choose_tiles(batch_size or len(problem.y), rows - 1, self._width, inner.itemsize),
        )
        if batch_size:
            self.longest_piece = max(1, BATCH_INDICES // (runs * batch_size))
        self._state_changed()

    def _state_changed(self) -> None:
        runs = self.state.runs
        self._learning_rate = self._doubles(self.task.learning_rate[runs])
        skip = self._doubles(self.state.skip)
        self._data, self._test = _data(*self._points, skip), _data(*self._test_points, skip)
        points = self.plan.batch_size or self._data.points
        self._residual = self.state.parameters.new_empty(len(runs), points)

    def advance(self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray) -> np.ndarray:
        state, count = self.state, int(np.count_nonzero(logged))
        losses = self._doubles(np.full((len(s), 2, count), np.inf))
        rows = np.where(logged, np.cumsum(logged) - 1, -1)
        with torch.cuda.device_of(state.parameters):
            advance[(len(s),)](
                self._data,
                self._test,
                state.parameters,
                state.moments,
                state.corrections,
                self._residual,
                state.diverged,
                self._doubles(s).to(state.parameters.dtype),
                self._learning_rate,
                self._doubles(factors),
                self._next_batches(len(factors)),
                torch.as_tensor(rows, device=losses.device),
                losses,
                count,
                len(factors),
                state.step,
                self.plan,
                **self._options(),
            )
        state.step += len(factors)
        return self._fetch(losses)

    def _next_batches(self, steps: int) -> Tensor | None:
        """The points of the next updates, [R, T, b]; None for all points."""
        batches, first = self.task.batches, self.state.step
        if batches is None:
            return None
        indices = batches.of_runs(self.state.runs, first, first + steps)
        return torch.from_numpy(indices.astype(np.int32)).to(self._residual.device)

    def measure(self, s: np.ndarray) -> np.ndarray:
        state, losses = self.state, self._doubles(np.full((len(s), 2), np.inf))
        with torch.cuda.device_of(state.parameters):
            measure[(len(s),)](
                self._data,
                self._test,
                state.parameters,
                state.diverged,
                self._doubles(s).to(state.parameters.dtype),
                losses,
                state.step,
                self.plan,
                **self._options(),
            )
        return self._fetch(losses)

    def networks(self, runs: np.ndarray | slice = slice(None)) -> TwoLayer:
        return unpack(self.state.parameters[runs], self._width)

    def _options(self) -> dict:
        """Options of the compiler: no pipelined loads; products and sums fused (its default)."""
        return {"num_warps": self.plan.tiles.warps, "num_stages": 1, "enable_fp_fusion": True}

    def _doubles(self, values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.state.parameters.device)

    def _fetch(self, losses: Tensor) -> np.ndarray:
        """The measures [K, R, ...] from losses [R, 2, ...]; waits for the kernel."""
        return losses.cpu().numpy().swapaxes(0, 1)[: self.measures]


def _check_launcher() -> None:
    """Raise a ValueError if Triton cannot make what launches its kernels; it needs a C compiler."""
    try:
        _ = driver.active.utils
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"engine triton: it cannot launch kernels: {reason}") from None


def _data(x: Tensor, y: Tensor, skip: Tensor) -> Data:
    """Points with the targets of each run minus its skip term c . (x, 1), c [R, d + 1] float64."""
    return Data(x.contiguous(), without_skip(x, y, skip).contiguous(), len(y))


def choose_tiles(points: int, inputs: int, width: int, size: int) -> Tiles:
    """Tiles that fit the registers, with numbers of `size` bytes.

    In the backward pass a thread has at most 16 pairs of a neuron and an input (8 in float64). With
    up to 8 warps each warp has separate neurons, so no sum crosses threads unless D is large. In
    the forward pass a thread has 8 neurons (4 in float64) at up to 4 points: it uses each weight
    that it loads 4 times and each point 8 times.
    """
    padded = triton.next_power_of_2(inputs)
    block = min(triton.next_power_of_2(width), max(1, 2**14 // (padded * size)))
    warps = min(8, max(1, block // 32, padded * block // 512))
    return Tiles(
        points=min(128, max(32, triton.next_power_of_2(points))),
        neurons=warps * 32 // size,
        inputs=padded,
        block=block,
        warps=warps,
    )
