"""Locally adaptive activations: networks whose activations have trainable slopes.

Source: A. Jagtap, K. Kawaguchi and G. Karniadakis, Locally adaptive activation functions with slope
recovery for deep and physics-informed neural networks, Proc. R. Soc. A 476:20200334 (2020),
arXiv 1909.12228.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hrta.problems import Problem

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}
# What has a slope of its own: nothing (a plain network), each layer (L-LAAF), each neuron (N-LAAF).
ADAPTIVE = ("none", "layer", "neuron")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class DeepNetworks:
    """R networks of hidden layers h_l = sigma(n a_l (h_(l-1) W_l + b_l)), and a linear last one.

    Attributes:
        weights: [R, in, out] for each layer.
        biases: [R, 1, out] for each layer.
        slopes: a for each hidden layer, [R, 1, 1] or [R, 1, out]; n a = 1 at the start.
        activation: tanh or relu.
        adaptive: none, layer or neuron; with none the slopes stay as they are.
        scale: n.
    """

    weights: list[Tensor]
    biases: list[Tensor]
    slopes: list[Tensor]
    activation: str
    adaptive: str
    scale: float

    @classmethod
    def initialise(
        cls,
        seeds: Sequence[int],
        inputs: int,
        hidden: Sequence[int],
        activation: str = "tanh",
        adaptive: str = "none",
        scale: float = 10.0,
        dtype: torch.dtype = torch.float32,
    ) -> "DeepNetworks":
        """One network per seed: weights N(0, 2 / (in + out)), biases 0, and n a = 1.

        A network depends on its own seed alone, and not on what is adaptive.

        Raises:
            ValueError: an unknown activation or kind of slope (the message lists those that exist),
                a scale below 1, no seed, or a layer without neurons.
        """
        if activation not in ACTIVATIONS:
            raise ValueError(f"laaf: unknown activation {activation!r}; there are {[*ACTIVATIONS]}")
        if adaptive not in ADAPTIVE:
            raise ValueError(
                f"laaf: unknown adaptive {adaptive!r}; there are {', '.join(ADAPTIVE)}"
            )
        if not scale >= 1:
            raise ValueError(f"laaf: scale = {scale:g} is below 1")
        sizes = [inputs, *hidden, 1]
        if min(sizes) < 1 or not len(seeds) or not len(hidden):
            raise ValueError("laaf: at least one seed, one hidden layer and one neuron are needed")
        generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
        weights = []
        for before, after in pairwise(sizes):
            drawn = [
                torch.randn(before, after, dtype=torch.float64, generator=generator)
                for generator in generators
            ]
            weights.append((torch.stack(drawn) * (2 / (before + after)) ** 0.5).to(dtype))
        biases = [weight.new_zeros(len(seeds), 1, weight.shape[2]) for weight in weights]
        slopes = [
            weight.new_full(
                (len(seeds), 1, weight.shape[2] if adaptive == "neuron" else 1), 1 / scale
            )
            for weight in weights[:-1]
        ]
        return cls(weights, biases, slopes, activation, adaptive, float(scale))

    def predict(self, x: Tensor) -> Tensor:
        """The networks' values at the points x [n, d], [R, n]."""
        sigma = ACTIVATIONS[self.activation]
        hidden = x.expand(len(self.weights[0]), *x.shape)
        layers = zip(self.weights[:-1], self.biases[:-1], self.slopes, strict=True)
        for weight, bias, slope in layers:
            hidden = sigma(self.scale * slope * torch.baddbmm(bias, hidden, weight))
        return torch.baddbmm(self.biases[-1], hidden, self.weights[-1]).squeeze(-1)

    def slope_recovery(self) -> Tensor:
        """S(a) = 1 / mean over hidden layers of exp(a), a layer's mean for neurons' own a; [R]."""
        means = torch.stack([slope.mean(dim=(1, 2)) for slope in self.slopes])
        return 1 / means.exp().mean(dim=0)


def train(
    problem: Problem,
    networks: DeepNetworks,
    steps: int,
    learning_rate: float = 2e-4,
    *,
    recovery: float = 0.0,
    log_every: int = 100,
    observe: Callable[[int, DeepNetworks], None] | None = None,
    observe_at: Sequence[int] = (),
    progress: Progress | None = None,
) -> tuple[pd.DataFrame, DeepNetworks]:
    """Adam on mean (f(x_i) - y_i)^2 + recovery S(a), each network by itself, on the full batch.

    Args:
        problem: the points.
        networks: where training starts; left untouched.
        steps: how many.
        learning_rate: constant.
        recovery: weight of the slope recovery term, 0 for none.
        log_every: steps between rows of the history; the last step is always there.
        observe: called with the step and the networks as they are after that many updates.
        observe_at: at which steps.
        progress: called from time to time with the steps done and their number.

    Returns:
        Tidy table of run, step, loss (the mean square alone), and the trained networks.

    Raises:
        ValueError: an argument outside its range.
    """
    _check(steps, learning_rate, recovery, log_every)
    like = networks.weights[0]
    x = torch.as_tensor(problem.x).to(like)
    y = torch.as_tensor(problem.y).to(like)
    copies = [
        [tensor.detach().clone().requires_grad_() for tensor in tensors]
        for tensors in (networks.weights, networks.biases)
    ]
    adapt = networks.adaptive != "none"
    slopes = [slope.detach().clone().requires_grad_(adapt) for slope in networks.slopes]
    kind = (networks.activation, networks.adaptive, networks.scale)
    trained = DeepNetworks(*copies, slopes, *kind)
    parameters = [*copies[0], *copies[1], *(slopes if adapt else [])]
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    logged, rows = [], []
    for step in range(steps + 1):
        if observe is not None and step in observe_at:
            with torch.no_grad():
                observe(step, trained)
        losses = ((trained.predict(x) - y) ** 2).mean(dim=1)
        if step % log_every == 0 or step == steps:
            logged.append(step)
            rows.append(losses.detach().double().numpy())
        if progress is not None and step % max(1, steps // 20) == 0:
            progress(step, steps)
        if step < steps:
            optimizer.zero_grad()
            # Summed, so that no network's gradient depends on the others.
            total = losses + recovery * trained.slope_recovery() if recovery else losses
            total.sum().backward()
            optimizer.step()
    history = pd.DataFrame(
        {
            "run": np.repeat(np.arange(len(like)), len(logged)),
            "step": np.tile(logged, len(like)),
            "loss": np.stack(rows, axis=1).ravel(),
        }
    )
    final = [[tensor.detach() for tensor in tensors] for tensors in (*copies, slopes)]
    return history, DeepNetworks(*final, *kind)


def _check(steps: int, learning_rate: float, recovery: float, log_every: int) -> None:
    for name, value in (("steps", steps), ("log_every", log_every)):
        if value < 1 or value != int(value):
            raise ValueError(f"laaf: {name} = {value} is not a whole number of at least 1")
    if not (np.isfinite(learning_rate) and learning_rate > 0):
        raise ValueError(f"laaf: learning_rate = {learning_rate:g} is not a positive number")
    if not (np.isfinite(recovery) and recovery >= 0):
        raise ValueError(f"laaf: recovery = {recovery:g} is not a number of at least 0")
