"""The triton engine: compiled for a CUDA GPU, one network per program, so runs are independent."""

import numpy as np
import torch
import triton
from torch import Tensor

from hrta.networks.two_layer import TwoLayer
from hrta.training.engines.engine import Engine
from hrta.training.kernels.triton_loop import Data, Plan, Tiles, advance, measure
from hrta.training.optimizers import OPTIMIZERS, Adam
from hrta.training.packing import pack, points_and_targets, unpack
from hrta.training.task import Task


class TritonEngine(Engine):
    """Two-layer regression on the device of the networks.

    Args:
        task: the training task.
        tiles: tile sizes of the kernels; chosen by the shapes if not given.
    """

    name = "triton"

    def __init__(self, task: Task, tiles: Tiles | None = None) -> None:
        if task.batches is not None:
            raise ValueError("engine triton: batch_size is not supported")
        if task.preserve_function:
            raise ValueError("engine triton: preserve_function is not supported")
        problem, parameters = task.problem, pack(task.networks)
        runs, rows, self._width = parameters.shape
        super().__init__(task, parameters, np.zeros((runs, rows - 1)))
        inner = task.networks.inner
        x, y = points_and_targets(problem.x, problem.y, inner)
        tested = points_and_targets(problem.x_test, problem.y_test, inner)
        self._measures = 2 if tested else 1
        self._data, self._test = _data(x, y), _data(*(tested or (x[:0], y[:0])))
        self._plan = Plan(
            width=self._width,
            inputs=rows - 1,
            optimizer=task.optimizer,
            momentum=task.momentum,
            state_size=OPTIMIZERS[task.optimizer].state_size,
            beta1=Adam.beta1,
            beta2=Adam.beta2,
            eps=Adam.eps,
            fixed_outer=task.fixed_outer,
            tiles=tiles or choose_tiles(len(y), rows - 1, self._width, inner.itemsize),
        )
        self._state_changed()

    def _state_changed(self) -> None:
        runs = self.state.runs
        self._learning_rate = self._doubles(self.task.learning_rate[runs])
        self._residual = self.state.parameters.new_empty(len(runs), self._data.points)

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
                torch.as_tensor(rows, device=losses.device),
                losses,
                count,
                len(factors),
                state.step,
                self._plan,
                **self._options(),
            )
        state.step += len(factors)
        return self._fetch(losses)

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
                self._plan,
                **self._options(),
            )
        return self._fetch(losses)

    def networks(self, runs: np.ndarray | slice = slice(None)) -> TwoLayer:
        return unpack(self.state.parameters[runs], self._width)

    def _options(self) -> dict:
        """Options of the compiler: no pipelined loads; products and sums fused (its default)."""
        return {"num_warps": self._plan.tiles.warps, "num_stages": 1, "enable_fp_fusion": True}

    def _doubles(self, values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.state.parameters.device)

    def _fetch(self, losses: Tensor) -> np.ndarray:
        """The measures [K, R, ...] from losses [R, 2, ...]; waits for the kernel."""
        return losses.cpu().numpy().swapaxes(0, 1)[: self._measures]


def _data(x: Tensor, y: Tensor) -> Data:
    return Data(x.contiguous(), y.contiguous(), len(y))


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
