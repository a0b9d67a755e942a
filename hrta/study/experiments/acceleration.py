"""Heavy ball against Nesterov on the inner weights alone, beside the theory of the linear limit."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hrta.ntk.eigenvalues import extremal_eigenvalues
from hrta.ntk.linearised import draw_parts
from hrta.ntk.matrices import empirical_gram, gram
from hrta.ntk.momentum import OPTIMIZERS, momentum_from_kernel, predict_losses_with_momentum
from hrta.problems.problem import Problem
from hrta.schedules import Schedule, Stage

if TYPE_CHECKING:
    from hrta.networks.two_layer import TwoLayer


def acceleration_table(
    problem: Problem,
    experiment: str,
    widths: Sequence[int],
    seeds: Sequence[int],
    steps: int,
    step_fraction: float = 0.5,
    log_every: int = 1,
    observations: int = 20,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """ReLU networks in float64, outer weights fixed at +-1, trained with each of OPTIMIZERS.

    All have the learning rate step_fraction / largest, those with a momentum that of
    `momentum_from_kernel`. The prediction starts from the very network that is trained. At infinite
    width (the width missing) networks are drawn from the limit, and the prediction is the loss.

    Args:
        problem: the points.
        experiment: what results call it.
        widths: m.
        seeds: of the networks.
        steps: of each run.
        step_fraction: learning rate in units of 1 / largest, in (0, 1].
        log_every: steps between rows.
        observations: how often to measure the travel, at steps ever further apart.
        progress: called with the number of widths done and their number.

    Returns:
        Tidy table of experiment, problem, optimizer, width, seed, step, loss, predicted, travel
        max_k |w_k(t) - w_k(0)| (missing where not measured), smallest, largest (eigenvalues of the
        inner layer's Gram matrix at infinite width, over n), smallest_start (that of the network
        itself as it is initialised), learning_rate, momentum.

    Raises:
        ValueError: a number outside its range, a singular Gram matrix, or as `hrta.train`.
    """
    _check_numbers(step_fraction, steps, log_every, observations)
    kernel = gram(problem.x, 1.0, "inner")
    smallest, largest = (eigenvalue / len(kernel) for eigenvalue in extremal_eigenvalues(kernel))
    rate = step_fraction / largest
    setting = {"learning_rate": rate, "momentum": momentum_from_kernel(smallest, rate)}
    at = [*range(0, steps, log_every), steps]
    tables = []
    for done, width in enumerate([*widths, None], start=1):
        table = _at_width(problem, kernel, width, list(seeds), setting, at, observations)
        tables.append(table.assign(width=width))
        if progress is not None:
            progress(done, len(widths) + 1)
    table = pd.concat(tables, ignore_index=True).astype({"width": "Int64"})
    setting |= {"smallest": smallest, "largest": largest}
    table = table.assign(experiment=experiment, problem=problem.name, **setting)
    names = "experiment problem optimizer width seed step loss predicted travel smallest largest"
    return table[[*names.split(), "smallest_start", "learning_rate", "momentum"]]


def _at_width(
    problem: Problem,
    kernel: np.ndarray,
    width: int | None,
    seeds: list[int],
    setting: dict[str, float],
    at: list[int],
    observations: int,
) -> pd.DataFrame:
    """The columns of `acceleration_table` that differ from run to run, with rows at those steps."""
    import torch

    from hrta.networks.two_layer import TwoLayer

    runs = pd.DataFrame({"seed": np.repeat(seeds, len(at)), "step": np.tile(at, len(seeds))})
    if width is None:
        # a_k has variance 1, whether or not its sign is all that is kept.
        outputs = sum(draw_parts(problem.x, len(seeds))) / 2
        smallest = np.full(len(seeds), np.nan)
    else:
        networks = TwoLayer.initialise(seeds, problem.inputs, width, torch.float64, signs=True)
        outputs = networks.predict(problem.x, 1.0).numpy()
        matrices = empirical_gram(problem.x, networks.inner, networks.outer, 1.0, "inner")
        smallest = np.array([extremal_eigenvalues(matrix)[0] for matrix in matrices])
    runs["smallest_start"] = np.repeat(smallest / len(kernel), len(at))
    tables = []
    for optimizer in OPTIMIZERS:
        options = {"optimizer": optimizer, **setting}
        loss = predict_losses_with_momentum(kernel, outputs - problem.y, **options, steps=at)
        table = runs.assign(optimizer=optimizer, predicted=loss.ravel(), travel=np.nan)
        if width is not None:
            loss, table["travel"] = _measured(problem, networks, options, at, observations)
        tables.append(table.assign(loss=loss.ravel()))
    return pd.concat(tables)


def _measured(
    problem: Problem,
    networks: "TwoLayer",
    options: dict[str, object],
    at: list[int],
    observations: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Loss and travel at these steps, each flat, run after run."""
    from hrta.training.objectives.two_layer import TwoLayerRegression
    from hrta.training.trainer import train

    places = np.unique(np.geomspace(len(at) - 1, 1, observations).round().astype(int))
    travel = np.full((networks.runs, len(at)), np.nan)

    def observe(step: int, now: "TwoLayer") -> None:
        travel[:, at.index(step)] = (now.inner - networks.inner).norm(dim=1).amax(dim=1)

    training = train(
        problem,
        networks,
        Schedule([Stage(1.0, at[-1])]),
        **options,
        log_every=at[1] - at[0],
        fixed_outer=True,
        objective=TwoLayerRegression(),
        observe=observe,
        observe_at=[at[place] for place in places],
    )
    return training.history["loss"].to_numpy(), travel.ravel()


def _check_numbers(step_fraction: float, steps: int, log_every: int, observations: int) -> None:
    if not 0 < step_fraction <= 1 or min(steps, log_every, observations) < 1:
        counts = f"steps, log_every, observations = {steps}, {log_every}, {observations} at least 1"
        raise ValueError(f"step_fraction = {step_fraction:g} must be in (0, 1], and {counts}")
