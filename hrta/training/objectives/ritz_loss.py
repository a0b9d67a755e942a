"""The Deep Ritz energy of ReLU^2 homotopy networks and its gradient in torch, and the torch engine.

With h_ik = relu(z_ik), z_ik = w_k . (x_i, 1), the products v_lk = a_k w_lk and x_iD = 1,

    c_l = sum_k v_lk,    g_il = sum_k v_lk h_ik,
    grad_l phi(x_i) = [(1 - s) c_l + s g_il] / sqrt(m),
    phi(x_i)        = sum_l x_il [(1 - s) c_l + s g_il / 2] / sqrt(m).

With p_i and q_il the derivatives of the energy with respect to phi(x_i) and grad_l phi(x_i),
divided by sqrt(m) (q_iD = 0), and u_il = s (p_i x_il / 2 + q_il),

    V_lk = dE/dv_lk = (1 - s) sum_i (p_i x_il + q_il) + sum_i u_il h_ik,
    Z_ik = dE/dz_ik = 1[z_ik > 0] sum_l u_il v_lk,
    dE/dw_lk = a_k V_lk + sum_i x_il Z_ik,      dE/da_k = sum_l w_lk V_lk.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from hrta.networks.two_layer import TwoLayer, with_bias
from hrta.problems.poisson import MEASURING_POINTS, PoissonProblem, gauss_legendre, grid
from hrta.training.engines.state import EngineState
from hrta.training.engines.torch_engine import Function, StepSamples, TorchEngine
from hrta.training.packing import WIDTH_MULTIPLE, pack, unpack
from hrta.training.random_points import RandomPoints
from hrta.training.task import Task


def make_torch_engine(task: Task, points: RandomPoints | int) -> TorchEngine:
    """The torch engine for the energy of a Poisson problem.

    Args:
        task: the training task, with a `PoissonProblem` and two-layer networks.
        points: the random points of each step, or the number of points of a grid.
    """
    return TorchEngine(task, RitzFunction(task, points), pack(task.networks, WIDTH_MULTIPLE))


class Points(NamedTuple):
    """Points of a quadrature with equal weights, the same for all runs or others for each.

    Attributes:
        x: biased points, [n, D] or [R, n, D].
        source: f, [n] or [R, n].
        exact_loss: the energy of the exact solution by this quadrature, float64, a number or [R].
    """

    x: Tensor
    source: Tensor
    exact_loss: Tensor


class RitzFunction(Function):
    """The energy of each run; the measures are those of `hrta.training.engines.ritz_engine`."""

    worst = (math.inf,) * 5

    def __init__(self, task: Task, points: RandomPoints | int) -> None:
        problem, like = task.problem, task.networks.inner
        self._width = task.networks.width
        self._errors = Errors(problem, like)
        self._random = points if isinstance(points, RandomPoints) else None
        if isinstance(points, RandomPoints):
            self.longest_piece = points.longest_piece
        else:
            x = grid(points, problem.dimension)
            source = torch.as_tensor(problem.source(x)).to(like)
            exact_loss = torch.tensor(problem.minimum, dtype=torch.float64, device=like.device)
            self._grid = Points(with_bias(x, like), source, exact_loss)

    def samples(self, state: EngineState, logged: np.ndarray) -> StepSamples:
        """The points of each update."""
        if self._random is None:
            return [self._grid] * len(logged)
        like = state.parameters
        drawn = self._random.draw(state.runs, state.step, logged)
        place = {seed: place for place, seed in enumerate(drawn)}
        of_runs = [place[int(self._random.seeds[run])] for run in state.runs]
        x, source = (
            torch.from_numpy(np.stack([getattr(each, name) for each in drawn.values()])).to(like)
            for name in ("x", "source")
        )
        exact_losses = np.full((len(drawn), len(logged)), np.nan)
        exact_losses[:, logged] = [each.exact_losses for each in drawn.values()]
        return Draws(x, source, torch.from_numpy(exact_losses).to(like.device), of_runs)

    def value_and_gradient(
        self, parameters: Tensor, s: Tensor, gradient: Tensor, sample: Points
    ) -> Tensor:
        network = Network.of(parameters, s, self._width)
        values, slopes, hidden = network.forward(sample.x)
        points, mean = values.shape[1], values.double().mean(-1)
        stored = slopes.double().square().sum(-1).mean(-1)
        work = (values.double() * sample.source).mean(-1)
        p = mean[:, None].to(values) - sample.source
        network.backward(sample.x, hidden, p / points, slopes / points, gradient)
        return stored / 2 + mean.square() / 2 - work

    def test_measures(self, parameters: Tensor, s: Tensor, sample: Points) -> list[Tensor]:
        values, slopes, _ = Network.of(parameters, s, self._width).forward(self._errors.x)
        return [*self._errors.of(values, slopes), sample.exact_loss.expand(len(parameters))]

    def networks(self, parameters: Tensor) -> TwoLayer:
        return unpack(parameters, self._width)


class Draws:
    """The random points of T updates; those of a step are gathered for all runs when asked for.

    Args:
        x, source: points [S, T, n, d] and f [S, T, n] of S seeds.
        exact_losses: [S, T] float64.
        of_runs: the place of the seed of each run, [R].
    """

    def __init__(
        self, x: Tensor, source: Tensor, exact_losses: Tensor, of_runs: Sequence[int]
    ) -> None:
        self._x, self._source, self._exact_losses = x, source, exact_losses
        self._of_runs = torch.as_tensor(of_runs, device=x.device)

    def __getitem__(self, step: int) -> Points:
        x, source, exact_loss = (
            each[:, step][self._of_runs] for each in (self._x, self._source, self._exact_losses)
        )
        return Points(torch.cat([x, torch.ones_like(x[..., :1])], dim=-1), source, exact_loss)


class Network(NamedTuple):
    """R networks, views of their packed parameters.

    Attributes:
        inner, outer: weights [R, D, m] and [R, 1, m].
        products: v, [R, D, m].
        s: [R, 1, 1].
        scale: 1/sqrt(m).
    """

    inner: Tensor
    outer: Tensor
    products: Tensor
    s: Tensor
    scale: float

    @classmethod
    def of(cls, parameters: Tensor, s: Tensor, width: int) -> "Network":
        """The networks of packed parameters [R, D + 1, m]; s is [R]."""
        inner, outer = parameters[:, :-1], parameters[:, -1:]
        return cls(inner, outer, inner * outer, s[:, None, None], width**-0.5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """phi [R, n], its gradient [R, n, d] and h [R, n, m] at the points x, biased."""
        x = x.expand(len(self.inner), -1, -1)
        hidden = torch.bmm(x, self.inner).clamp_(min=0)
        linear = self.products.sum(-1)[:, None] * (self.scale * (1 - self.s))
        bent = torch.bmm(hidden, self.products.mT) * (self.scale * self.s)
        values = (x * (linear + bent / 2)).sum(-1)
        return values, (linear + bent)[..., :-1], hidden

    def backward(self, x: Tensor, hidden: Tensor, p: Tensor, q: Tensor, gradient: Tensor) -> None:
        """Write the gradient.

        Args:
            x: biased points, [n, D] or [R, n, D].
            hidden: h, overwritten.
            p, q: derivatives with respect to phi [R, n] and its gradient [R, n, d].
            gradient: output, [R, D + 1, m].
        """
        x = x.expand(len(self.inner), -1, -1)
        weighted = x * (p[..., None] * self.scale)
        q = torch.cat([q * self.scale, torch.zeros_like(q[..., :1])], dim=-1)
        u = (weighted / 2 + q) * self.s
        linear = (weighted + q).sum(1)[..., None] * (1 - self.s)
        of_products = torch.bmm(u.mT, hidden).add_(linear)
        of_z = torch.bmm(u, self.products).mul_(hidden.gt_(0))
        torch.sum(self.inner * of_products, dim=1, out=gradient[:, -1])
        torch.add(of_products.mul_(self.outer), torch.bmm(x.mT, of_z), out=gradient[:, :-1])


class Errors:
    """The errors of networks by an accurate quadrature.

    Attributes:
        x: the points of the quadrature, biased, [n, D].
    """

    def __init__(self, problem: PoissonProblem, like: Tensor) -> None:
        x, weights = gauss_legendre(MEASURING_POINTS, problem.dimension)
        self.x = with_bias(x, like)
        self._weights, self._solution, self._gradient = (
            torch.from_numpy(each).to(like.device)
            for each in (weights, problem.solution(x), problem.gradient(x))
        )

    def of(self, values: Tensor, slopes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """int (phi - u)^2, int |grad (phi - u)|^2 and int phi of phi [R, n], [R] float64."""
        square = (values.double() - self._solution).square()
        slope_square = (slopes.double() - self._gradient).square().sum(-1)
        return self._integral(square), self._integral(slope_square), self._integral(values)

    def _integral(self, values: Tensor) -> Tensor:
        return (values * self._weights).sum(-1)
