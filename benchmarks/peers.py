"""The contenders in this process: the engines, the naive implementation and torch's BLAS.

- naive: the simplest implementation. One network as a `torch.nn.Module`, automatic
  differentiation, `torch.optim.Adam`, a Python loop.
- torch BLAS: one network, two matrix products, the gradient in closed form and Adam in operations
  on whole tensors, all in memory that is allocated once.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.cases import LEARNING_RATE, Start
from hrta.training.objectives.two_layer import TwoLayerRegression
from hrta.training.optimizers import Adam


class Contender(ABC):
    """An implementation of the training.

    Attributes:
        engine, variant: its name, and the variant of the implementation.
        networks: number of networks that are trained together.
        threads: number of threads.
        chunk: the number of steps must be a multiple of it.
    """

    engine: str
    variant: str = ""
    networks: int
    threads: int
    chunk: int = 1

    @abstractmethod
    def advance(self, steps: int) -> float:
        """Train all networks this number of steps, from where the last call ended.

        Returns:
            The loss of the first network before the last of these steps.
        """


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use this number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Ensemble(Contender):
    """An engine of hrta with the whole ensemble."""

    def __init__(self, engine: str, start: Start, cores: int) -> None:
        self.engine, self.networks = engine, start.networks.runs
        self.threads = cores if engine == "numba" else 1
        self._state = TwoLayerRegression().make_engine(replace(start.task, engine=engine))

    def advance(self, steps: int) -> float:
        s, every = np.ones(self.networks), np.ones(steps, bool)
        with torch_threads(self.threads):
            losses = self._state.advance(s, np.ones(steps), every)[0]
        if (self._state.diverged >= 0).any():
            raise RuntimeError(f"engine {self.engine}: no network must diverge; one did")
        return float(losses[0, -1])


class Naive(Contender):
    """The first network of the ensemble, with this number of threads."""

    engine, networks = "naive", 1

    def __init__(self, start: Start, threads: int) -> None:
        self.threads, self.variant = threads, _on(threads)
        self._x, self._y = start.x, start.y
        self._network = Module(start.networks.inner[0], start.networks.outer[0])
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=LEARNING_RATE)

    def advance(self, steps: int) -> float:
        x, y = self._x, self._y
        losses = []
        with torch_threads(self.threads):
            for _ in range(steps):
                self._optimizer.zero_grad()
                loss = ((self._network(x) - y) ** 2).mean() / 2
                loss.backward()
                self._optimizer.step()
                losses.append(loss.detach())
        return float(losses[-1])


class Module(nn.Module):
    """One network with ReLU; the points have a last column of ones."""

    def __init__(self, inner: Tensor, outer: Tensor) -> None:
        super().__init__()
        self.inner, self.outer = nn.Parameter(inner.clone()), nn.Parameter(outer.clone())

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x @ self.inner) @ self.outer / len(self.outer) ** 0.5


class TorchBlas(Contender):
    """Several networks at the same time, each with several threads."""

    engine = "torch BLAS"

    def __init__(self, start: Start, networks: int, threads_each: int) -> None:
        self.networks = min(networks, start.networks.runs)
        self.threads = self.networks * threads_each
        self.variant = f"{self.networks} at once" if networks > 1 else _on(threads_each)
        self._threads_each = threads_each
        self._trained = [BlasNetwork(start, run) for run in range(self.networks)]

    def advance(self, steps: int) -> float:
        # The thread count of matrix products is set per process, of other operations per thread.
        with (
            torch_threads(self._threads_each),
            ThreadPoolExecutor(self.networks, initializer=self._set_up_thread) as pool,
        ):
            return next(iter(list(pool.map(lambda network: network.train(steps), self._trained))))

    def _set_up_thread(self) -> None:
        torch.set_num_threads(self._threads_each)
        torch.set_flush_denormal(True)


class BlasNetwork:
    """One network in training; with P = 1[z > 0] and B = (r x / (n sqrt(m)))^T P,

    dR/dw = a B and dR/da = sum_j w_j B_j.
    """

    def __init__(self, start: Start, run: int) -> None:
        networks = start.networks
        self.x, self.y = start.x, start.y
        self.parameters = torch.cat([networks.inner[run], networks.outer[run, None]])
        self.gradient = torch.empty_like(self.parameters)
        self.first, self.second, self.root = (torch.zeros_like(self.parameters) for _ in range(3))
        self.hidden = self.x.new_empty(len(self.x), networks.width)
        self.step = 0

    @torch.inference_mode()
    def train(self, steps: int) -> float:
        """Train this number of steps; returns the loss before the last of them."""
        losses = []
        for _ in range(steps):
            losses.append(self._loss_and_gradient())
            self._adam()
        return float(losses[-1])

    def _loss_and_gradient(self) -> Tensor:
        inner, outer = self.parameters[:-1], self.parameters[-1]
        scale = len(outer) ** -0.5
        hidden = torch.mm(self.x, inner, out=self.hidden).clamp_min_(0)
        residual = torch.mv(hidden, outer).mul_(scale).sub_(self.y)
        pattern = hidden.sign_()
        weighted = self.x * (residual * (scale / len(self.y)))[:, None]
        back = torch.mm(weighted.T, pattern, out=self.gradient[:-1])
        torch.sum(inner * back, dim=0, out=self.gradient[-1])
        back.mul_(outer)
        return residual.square().mean() / 2

    def _adam(self) -> None:
        self.step += 1
        beta1, beta2 = Adam.beta1, Adam.beta2
        self.first.lerp_(self.gradient, 1 - beta1)
        self.second.mul_(beta2).addcmul_(self.gradient, self.gradient, value=1 - beta2)
        torch.sqrt(self.second, out=self.root)
        self.root.div_((1 - beta2**self.step) ** 0.5).add_(Adam.eps)
        rate = LEARNING_RATE / (1 - beta1**self.step)
        self.parameters.addcdiv_(self.first, self.root, value=-rate)


def _on(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def rivals(start: Start, device: str, cores: int) -> list[Contender]:
    """The naive implementation and torch's BLAS, each in all variants that may be the fastest."""
    counts = sorted({1, cores}) if device == "cpu" else [1]
    blas = [TorchBlas(start, 1, threads) for threads in counts]
    if len(counts) > 1:
        blas.append(TorchBlas(start, cores, 1))
    return [*(Naive(start, threads) for threads in counts), *blas]
