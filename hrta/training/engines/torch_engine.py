"""The reference engine: an ensemble of two-layer homotopy networks in plain torch, on any device.

For ReLU sigma_s(z) = sigma_s'(z) z, and sigma_s'(z) = (1 - s) + s 1[z > 0]. So all that is needed
of the pre-activations is the pattern P = 1[z > 0]: with x the biased points and everything per run,

    phi_i   = 1/sqrt(m) sum_j x_ij [(1 - s) sum_k w_jk a_k + s sum_k P_ik w_jk a_k]
    B_jk    = 1/(n sqrt(m)) sum_i r_i x_ij sigma_s'(z_ik),    r = phi - y
    dR/dw_jk = a_k B_jk,      dR/da_k = sum_j w_jk B_jk

Per step that is three thin matrix products and one comparison over [n, m], and no activation is
stored. The derivative at z = 0 is 1 - s, torch's convention for (leaky) ReLU.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from hrta.networks.two_layer import TwoLayer
from hrta.runtime.processes import one_cpu_thread
from hrta.training.engines.engine import Engine, Points, Setting
from hrta.training.optimizers import make_optimizer

# Elements of the pattern worked on at a time: 8 MiB in float32, so that it stays in the cache.
BLOCK_ELEMENTS = 2**21


class ReferenceEngine(Engine):
    """Trains all networks side by side, batched; on a CPU on one thread."""

    name = "reference"
    _of_each_run = ("diverged", "skip", "_learning_rate", "_parameters", "_gradient")
    _kept = (*Engine._kept, "_parameters")

    def __init__(self, networks: TwoLayer, setting: Setting) -> None:
        super().__init__(networks, setting)
        self._parameters = pack(networks)
        self._gradient = torch.empty_like(self._parameters)
        self._width = networks.width
        self._optimizer = make_optimizer(setting.optimizer, setting.momentum)
        self._learning_rate = torch.tensor(setting.learning_rate, device=self._parameters.device)
        self._setting = setting
        self._set_losses()
        self._fixed_outer = setting.fixed_outer
        self._batches = setting.batches
        self._step = 0

    def _set_losses(self) -> None:
        """Loss and test loss on what is left of the targets for each run beside its skip term."""
        self._loss = self._loss_on(self._setting.points)
        self._test_loss = self._loss_on(self._setting.test) if self._setting.test else None

    def _loss_on(self, points: Points) -> "Loss":
        skip = torch.as_tensor(self.skip).to(points.x.device)
        # Not a matrix product, whose rounding may depend on how many runs there are.
        targets = (points.y - (skip[:, None] * points.x).sum(-1)).to(points.y.dtype)
        return Loss(points.x, targets, self._width)

    def _carry(self, networks: TwoLayer) -> None:
        with torch.inference_mode():
            self._parameters[:, -1, : self._width] = networks.outer
        self._set_losses()

    def advance(
        self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        parameters, s = self._parameters, self._like(s)
        alive = torch.tensor(self.diverged < 0, device=parameters.device)
        diverged = torch.full_like(alive, -1, dtype=torch.int64)
        rows = []
        batches = self._next_batches(len(factors))
        with torch.inference_mode(), one_cpu_thread():
            for step, factor in enumerate(factors.tolist()):
                of_points = None if batches is None else self._weights_of(batches[step])
                losses, _ = self._loss.value_and_gradient(parameters, s, self._gradient, of_points)
                if self._fixed_outer:
                    self._gradient[:, -1] = 0
                finite = losses.isfinite()
                diverged.masked_fill_(alive & ~finite, step)
                alive &= finite
                if logged[step]:
                    rows.append(self._row(losses, s, alive))
                rate = (self._learning_rate * factor).to(parameters.dtype)
                update = self._optimizer.update(self._gradient, rate[:, None, None])
                parameters += update.masked_fill_(~alive[:, None, None], 0)
        found = diverged.cpu().numpy()
        self.diverged = np.where(found >= 0, self._step + found, self.diverged)
        self._step += len(factors)
        empty = parameters.new_empty(2, 0, len(s))
        both = torch.stack(rows, dim=1) if rows else empty
        return tuple(both.double().cpu().numpy().transpose(0, 2, 1))

    def _next_batches(self, steps: int) -> Tensor | None:
        """The points of the next updates, [T, R, b]."""
        if self._batches is None:
            return None
        first, last = self._step, self._step + steps
        runs = range(len(self.diverged))
        chosen = np.stack([self._batches.of_run(run, first, last) for run in runs], axis=1)
        return torch.as_tensor(chosen, device=self._parameters.device)

    def _weights_of(self, batch: Tensor) -> Tensor:
        """How much each point counts, [R, n]: n/b in the batch [R, b], else 0."""
        weights = self._parameters.new_zeros(len(batch), self._batches.points)
        return weights.scatter_(1, batch, self._batches.points / self._batches.size)

    def measure(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode(), one_cpu_thread():
            s = self._like(s)
            losses = self._loss.value(self._parameters, s)
            finite = losses.isfinite().cpu().numpy()
            self.diverged[(self.diverged < 0) & ~finite] = self._step
            alive = torch.tensor(self.diverged < 0, device=losses.device)
            return tuple(self._row(losses, s, alive).double().cpu().numpy())

    def _row(self, losses: Tensor, s: Tensor, alive: Tensor) -> Tensor:
        """Loss and test loss of each run, [2, R]; infinite for a diverged one."""
        if self._test_loss is None:
            test_losses = torch.full_like(losses, torch.nan)
        else:
            test_losses = self._test_loss.value(self._parameters, s)
        return torch.stack([losses, test_losses]).masked_fill_(~alive, torch.inf)

    def reset(self, runs: np.ndarray) -> None:
        with torch.inference_mode():
            self._optimizer.reset(torch.tensor(runs, device=self._parameters.device))

    def branch(self, parents: np.ndarray) -> None:
        super().branch(parents)
        self._optimizer.branch(torch.tensor(parents, device=self._parameters.device))
        self._batches = self._batches and self._batches.branch(parents)
        self._set_losses()

    def state(self) -> dict[str, np.ndarray]:
        return super().state() | {f"optimizer {k}": v for k, v in self._optimizer.state().items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        super().restore(state)
        own = {
            name.removeprefix("optimizer "): state[name]
            for name in state
            if name.startswith("optimizer ")
        }
        self._optimizer.restore(own, self._parameters)
        self._set_losses()

    def networks(self) -> TwoLayer:
        return unpack(self._parameters, self._width)

    def _like(self, values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=self._parameters.dtype, device=self._parameters.device)


class Loss:
    """R_s(theta) = 1/(2n) sum_i (phi_s(x_i; theta) - y_i)^2 for R networks on one set of points.

    All arithmetic is done run by run and each run's memory is laid out alike, so on a CPU with one
    thread a run's numbers do not depend, bit by bit, on the others beside it (the width must be
    padded as `padded_width` says for that).

    Args:
        x: biased points, [n, D], in the dtype and on the device of the parameters.
        y: targets, [n] for all runs or [R, n].
        width: the true width m of the 1/sqrt(m) scaling; the parameters may be wider, by neurons
            of zero weights.
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
        self, parameters: Tensor, s: Tensor, gradient: Tensor, of_points: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The loss of each run and its gradient.

        Args:
            parameters: [R, D + 1, m], the inner weights and, in the last row, the outer ones.
            s: homotopy parameter of each run, [R].
            gradient: where the gradient is written, shaped like the parameters.
            of_points: how much each point counts in the gradient, [R, n]; without it 1.

        Returns:
            The losses [R], in which every point counts 1, and `gradient`.
        """
        losses = []
        runs = self._block_runs(parameters)
        targets = gradient.split(runs)
        weights = [None] * len(targets) if of_points is None else of_points.split(runs)
        blocks = zip(self._blocks(parameters, s), targets, weights, strict=True)
        for (block, block_s, block_y), target, weight in blocks:
            residual, pattern = self._residual(block, block_s, block_y)
            losses.append(_half_mean_square(residual))
            if weight is not None:
                residual.mul_(weight)
            self._backward(block, block_s, residual, pattern, target)
        return torch.cat(losses), gradient

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
        """How many runs to work on at a time: all on a GPU, as many as fit the cache on a CPU."""
        if parameters.is_cuda:
            return len(parameters)
        return max(1, BLOCK_ELEMENTS // (len(self.x) * parameters.shape[-1]))

    def _blocks(self, parameters: Tensor, s: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Parameters, s and targets of the runs, some runs at a time."""
        y = self.y.expand(len(parameters), -1)
        of_runs = (part.split(self._block_runs(parameters)) for part in (parameters, s, y))
        return zip(*of_runs, strict=True)

    def _workspace(self, name: str, *shape: int) -> Tensor:
        """Memory kept from step to step: fresh memory costs more than the arithmetic."""
        size = math.prod(shape)
        if name not in self._memory or self._memory[name].numel() < size:
            self._memory[name] = self.x.new_empty(size)
        return self._memory[name][:size].view(shape)


def _half_mean_square(residual: Tensor) -> Tensor:
    return residual.square().mean(-1).mul_(0.5)


def padded_width(width: int) -> int:
    """The width rounded up to whole cache lines (16 float32).

    With it every run's weights start on a cache line. The matrix product picks its order of
    summation by alignment, so without it the last bit of a run would depend on the run's place in
    the ensemble.
    """
    return -(-width // 16) * 16


def pack(networks: TwoLayer) -> Tensor:
    """A copy of all weights in one tensor [R, d + 2, padded m], the outer ones in the last row."""
    packed = networks.inner.new_zeros(
        networks.runs, networks.inputs + 2, padded_width(networks.width)
    )
    packed[:, :-1, : networks.width] = networks.inner.detach()
    packed[:, -1, : networks.width] = networks.outer.detach()
    return packed


def unpack(packed: Tensor, width: int) -> TwoLayer:
    """The networks, a copy, from what `pack` made."""
    return TwoLayer(packed[:, :-1, :width].clone(), packed[:, -1, :width].clone())
