"""The loss of two-layer homotopy networks and its gradient in torch, and the torch engine.

For ReLU sigma_s(z) = sigma_s'(z) z and sigma_s'(z) = (1 - s) + s 1[z > 0], so only the pattern
P = 1[z > 0] of the pre-activations is needed. With the biased points x, for each run,

    phi_i   = 1/sqrt(m) sum_j x_ij [(1 - s) sum_k w_jk a_k + s sum_k P_ik w_jk a_k]
    B_jk    = 1/(n sqrt(m)) sum_i r_i x_ij sigma_s'(z_ik),    r = phi - y
    dR/dw_jk = a_k B_jk,      dR/da_k = sum_j w_jk B_jk

A step takes three thin matrix products and one comparison over [n, m], and stores no activations.
The derivative at z = 0 is 1 - s, as in torch.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from hrta.networks.two_layer import TwoLayer
from hrta.training.engines.state import EngineState
from hrta.training.engines.torch_engine import Function, StepSamples, TorchEngine
from hrta.training.packing import (
    WIDTH_MULTIPLE,
    pack,
    points_and_targets,
    tested_points,
    unpack,
    without_skip,
)
from hrta.training.task import Task

# Elements of the pattern of a block of runs: 8 MiB in float32, which fits the cache.
BLOCK_ELEMENTS = 2**21


def make_torch_engine(task: Task) -> TorchEngine:
    """The torch engine for two-layer regression."""
    networks = task.networks
    skip = np.zeros((networks.runs, networks.inputs + 1))
    return TorchEngine(task, TwoLayerFunction(task), pack(networks, WIDTH_MULTIPLE), skip)


class TwoLayerFunction(Function):
    """R_s of each run; the skip term of the run is subtracted from its targets."""

    def __init__(self, task: Task) -> None:
        problem, like = task.problem, task.networks.inner
        self._points = points_and_targets(problem.x, problem.y, like)
        self._test = tested_points(problem, like)
        self._width, self._fixed_outer = task.networks.width, task.fixed_outer
        self._batches = task.batches
        self.worst = [math.inf] * (2 if self._test else 1)

    def state_changed(self, state: EngineState) -> None:
        self._loss = self._loss_on(*self._points, state.skip)
        self._test_loss = self._test and self._loss_on(*self._test, state.skip)

    def _loss_on(self, x: Tensor, y: Tensor, skip: np.ndarray) -> "Loss":
        return Loss(x, without_skip(x, y, torch.as_tensor(skip).to(x.device)), self._width)

    def samples(self, state: EngineState, logged: np.ndarray) -> StepSamples:
        """The points of the batch of each update, [R, b]; None for all points."""
        if self._batches is None:
            return super().samples(state, logged)
        batches = self._batches.of_runs(state.runs, state.step, state.step + len(logged))
        return torch.as_tensor(batches, device=self._points[0].device).unbind(1)

    def value_and_gradient(
        self, parameters: Tensor, s: Tensor, gradient: Tensor, sample: Tensor | None = None
    ) -> Tensor:
        weights = None if sample is None else self._point_weights(sample, parameters)
        losses = self._loss.value_and_gradient(parameters, s, gradient, weights)
        if self._fixed_outer:
            gradient[:, -1] = 0
        return losses

    def _point_weights(self, batch: Tensor, like: Tensor) -> Tensor:
        """The weight of each point, [R, n]: n/b in the batch [R, b], else 0."""
        points, size = len(self._points[1]), batch.shape[1]
        return like.new_zeros(len(batch), points).scatter_(1, batch, points / size)

    def test_measures(
        self, parameters: Tensor, s: Tensor, sample: Tensor | None = None
    ) -> list[Tensor]:
        return [self._test_loss.value(parameters, s)] if self._test_loss else []

    def networks(self, parameters: Tensor) -> TwoLayer:
        return unpack(parameters, self._width)


class Loss:
    """R_s(theta) = 1/(2n) sum_i (phi_s(x_i; theta) - y_i)^2 for R networks on one set of points.

    The arithmetic of each run is separate and all runs have the same memory layout, so on a CPU
    with one thread the results of a run do not depend, bit for bit, on the other runs (if the width
    is a multiple of WIDTH_MULTIPLE).

    Args:
        x: biased points, [n, D], in the dtype and on the device of the parameters.
        y: targets, [n] for all runs or [R, n].
        width: the width m in 1/sqrt(m); the parameters may have more neurons, with zero weights.
    """

    def __init__(self, x: Tensor, y: Tensor, width: int) -> None:
        self.x, self.y = x, y
        self.scale = width**-0.5
        self._memory: dict[str, Tensor] = {}

    def value(self, parameters: Tensor, s: Tensor) -> Tensor:
        """The loss of each run, [R]; parameters and s as in `value_and_gradient`."""
        blocks = self._blocks(parameters, s)
        return torch.cat([_half_mean_square(self._residual(*block)[0]) for block in blocks])

    def value_and_gradient(
        self, parameters: Tensor, s: Tensor, gradient: Tensor, point_weights: Tensor | None = None
    ) -> Tensor:
        """The loss of each run, [R], with equal weights of all points, and its gradient.

        Args:
            parameters: [R, D + 1, m], the inner weights and, in the last row, the outer weights.
            s: homotopy parameter of each run, [R].
            gradient: output, shaped like the parameters.
            point_weights: weight of each point in the gradient, [R, n]; None for 1.
        """
        losses = []
        runs = self._block_runs(parameters)
        targets = gradient.split(runs)
        weights = [None] * len(targets) if point_weights is None else point_weights.split(runs)
        blocks = zip(self._blocks(parameters, s), targets, weights, strict=True)
        for (block, block_s, block_y), target, weight in blocks:
            residual, pattern = self._residual(block, block_s, block_y)
            losses.append(_half_mean_square(residual))
            if weight is not None:
                residual.mul_(weight)
            self._backward(block, block_s, residual, pattern, target)
        return torch.cat(losses)

    def _residual(self, block: Tensor, s: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """phi - y [R, n] and the pattern P [R, n, m] of a block of runs."""
        runs, points, inputs = len(block), *self.x.shape
        inner, outer = block[:, :-1], block[:, -1:]
        pattern = self._workspace("pattern", runs, points, block.shape[-1])
        torch.bmm(self.x.expand(runs, -1, -1), inner, out=pattern).gt_(0)
        path = self._workspace("path", runs, inputs, block.shape[-1])
        torch.mul(inner, outer, out=path)
        gated = self._workspace("gated", runs, points, inputs)
        torch.bmm(pattern, path.transpose(1, 2), out=gated).mul_(s[:, None, None])
        gated.add_((1 - s[:, None]).mul(path.sum(-1))[:, None, :])
        return gated.mul_(self.x).sum(-1).mul_(self.scale).sub_(y), pattern

    def _backward(
        self, block: Tensor, s: Tensor, residual: Tensor, pattern: Tensor, gradient: Tensor
    ) -> None:
        """Write the gradient of a block of runs from its residual and pattern."""
        runs, points, inputs = len(block), *self.x.shape
        inner, outer = block[:, :-1], block[:, -1:]
        weighted = self._workspace("gated", runs, points, inputs)
        torch.mul(residual[:, :, None], self.x * (self.scale / points), out=weighted)
        back = self._workspace("path", runs, inputs, block.shape[-1])
        torch.bmm(weighted.transpose(1, 2), pattern, out=back).mul_(s[:, None, None])
        back.add_((1 - s[:, None]).mul(weighted.sum(1))[:, :, None])
        torch.mul(outer, back, out=gradient[:, :-1])
        torch.sum(back.mul_(inner), dim=1, out=gradient[:, -1])

    def _block_runs(self, parameters: Tensor) -> int:
        """Number of runs in a block: all on a GPU, as many as fit the cache on a CPU."""
        if parameters.is_cuda:
            return len(parameters)
        return max(1, BLOCK_ELEMENTS // (len(self.x) * parameters.shape[-1]))

    def _blocks(self, parameters: Tensor, s: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Parameters, s and targets of each block of runs."""
        y = self.y.expand(len(parameters), -1)
        of_runs = (part.split(self._block_runs(parameters)) for part in (parameters, s, y))
        return zip(*of_runs, strict=True)

    def _workspace(self, name: str, *shape: int) -> Tensor:
        """Memory that is reused at every step: allocation costs more than the arithmetic."""
        size = math.prod(shape)
        if name not in self._memory or self._memory[name].numel() < size:
            self._memory[name] = self.x.new_empty(size)
        return self._memory[name][:size].view(shape)


def _half_mean_square(residual: Tensor) -> Tensor:
    return residual.square().mean(-1).mul_(0.5)
