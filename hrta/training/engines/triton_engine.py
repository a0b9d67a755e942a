"""The CUDA engine: compiled by Triton, one network to a program, so no run sees another."""

import numpy as np
import torch
import triton
from torch import Tensor

from hrta.networks.two_layer import TwoLayer
from hrta.training.engines.engine import Engine, Points, Setting
from hrta.training.kernels.triton_loop import Data, Plan, Tiles, advance, measure
from hrta.training.optimizers import OPTIMIZERS, Adam


class CudaEngine(Engine):
    """Trains each network by itself, on the device where the networks are.

    Args:
        networks, setting: as for every engine.
        tiles: how much the kernels work on at a time, chosen by shape if not given.
    """

    name = "cuda"
    _of_each_run = (
        *("diverged", "skip", "_diverged", "_learning_rate"),
        *("_weights", "_state", "_corrections", "_residual"),
    )
    _kept = (*Engine._kept, "_diverged", "_weights", "_state", "_corrections")

    def __init__(self, networks: TwoLayer, setting: Setting, tiles: Tiles | None = None) -> None:
        if setting.batches is not None:
            raise ValueError("engine cuda: it knows no minibatches")
        if setting.preserve_function:
            raise ValueError("engine cuda: it knows no function-preserving switch")
        super().__init__(networks, setting)
        inner, outer = networks.inner.detach(), networks.outer.detach()
        self._weights = torch.cat([inner, outer[:, None]], dim=1)
        runs, rows, width = self._weights.shape
        own = OPTIMIZERS[setting.optimizer].state_size
        self._state = inner.new_zeros(runs, own, rows, width)
        self._corrections = self._doubles(np.zeros((runs, 2)))
        self._learning_rate = self._doubles(setting.learning_rate)
        self._diverged = torch.full((runs,), -1, device=inner.device)
        none = Points(setting.points.x[:0], setting.points.y[:0])
        self._data, self._test = (
            _data(points) for points in (setting.points, setting.test or none)
        )
        self._residual = inner.new_empty(runs, self._data.points)
        self._plan = Plan(
            width=width,
            inputs=rows - 1,
            optimizer=setting.optimizer,
            momentum=setting.momentum,
            state_size=own,
            beta1=Adam.beta1,
            beta2=Adam.beta2,
            eps=Adam.eps,
            fixed_outer=setting.fixed_outer,
            tiles=tiles or choose_tiles(self._data.points, rows - 1, width, inner.itemsize),
        )
        self._step = 0

    def advance(
        self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        count = int(np.count_nonzero(logged))
        losses = self._doubles(np.full((len(s), 2, count), np.inf))
        rows = np.where(logged, np.cumsum(logged) - 1, -1)
        with torch.cuda.device_of(self._weights):
            advance[(len(s),)](
                self._data,
                self._test,
                self._weights,
                self._state,
                self._corrections,
                self._residual,
                self._diverged,
                self._doubles(s).to(self._weights.dtype),
                self._learning_rate,
                self._doubles(factors),
                torch.as_tensor(rows, device=losses.device),
                losses,
                count,
                len(factors),
                self._step,
                self._plan,
                **self._options(),
            )
        self._step += len(factors)
        return self._fetch(losses)

    def measure(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        losses = self._doubles(np.full((len(s), 2), np.inf))
        with torch.cuda.device_of(self._weights):
            measure[(len(s),)](
                self._data,
                self._test,
                self._weights,
                self._diverged,
                self._doubles(s).to(self._weights.dtype),
                losses,
                self._step,
                self._plan,
                **self._options(),
            )
        return self._fetch(losses)

    def reset(self, runs: np.ndarray) -> None:
        chosen = torch.as_tensor(runs, device=self._state.device)
        self._state[chosen] = 0
        self._corrections[chosen] = 0

    def networks(self) -> TwoLayer:
        return TwoLayer(self._weights[:, :-1].clone(), self._weights[:, -1].clone())

    def _options(self) -> dict:
        """How Triton compiles: no loads early, products and sums fused (its unspoken default)."""
        return {"num_warps": self._plan.tiles.warps, "num_stages": 1, "enable_fp_fusion": True}

    def _doubles(self, values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self._weights.device)

    def _fetch(self, losses: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Losses and test losses, both out of [R, 2, ...], once the kernel is done."""
        self.diverged = self._diverged.cpu().numpy().copy()
        return tuple(losses.cpu().numpy().swapaxes(0, 1))


def _data(points: Points) -> Data:
    return Data(points.x.contiguous(), points.y.contiguous(), len(points.y))


def choose_tiles(points: int, inputs: int, width: int, size: int) -> Tiles:
    """Tiles whose numbers, `size` bytes each, stay in registers.

    A thread has at most 16 neurons times inputs in the backward pass, or half as many in float64,
    and, with up to 8 warps, each warp has neurons of its own, so that no sum there leaves a thread
    unless D is large. In the forward pass it has 8 or 4 neurons at up to 4 points: each weight it
    reads is used 4 times, and each point 8 times.
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
