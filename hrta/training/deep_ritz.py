"""The Deep Ritz method: two-layer ReLU^2 networks that minimise the energy of a Poisson problem.

Source: W. E and B. Yu, The Deep Ritz Method, arXiv 1710.00211; by homotopy relaxation training,
arXiv 2309.15244 (scaling, quadrature and optimizer are assumed).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hrta.activations import homotopy
from hrta.networks.two_layer import TwoLayer, with_bias
from hrta.problems.poisson import QUADRATURES, PoissonProblem, grid
from hrta.runtime.checkpoints import Checkpoint, State
from hrta.schedules import Schedule
from hrta.training.arguments import (
    check_shapes_and_numbers,
    identity,
    one_rate_per_run,
    one_schedule_per_run,
    one_seed_per_run,
)
from hrta.training.branches import branches, firsts
from hrta.training.engines.ritz_engine import RitzEngine

Progress = Callable[[int, int], None]

# Training goes on for that part of the steps without a word of its progress,
PIECES = 20
# and for less where so many points have been drawn.
DRAWN_POINTS = 2**16


@dataclass(frozen=True, eq=False)
class Training:
    """What `train` returns.

    Attributes:
        history: tidy table of run, step, stage, s, loss (the energy by the quadrature of training),
            exact_loss (that of the exact solution by the same points), energy (the accurate one),
            l2_error and h1_error (relative).
        networks: the networks after the last step.
        diverged: for each run whose loss turned non-finite, the step at which it did; its weights
            were not changed from then on, and all that is measured is infinite in the history.
    """

    history: pd.DataFrame
    networks: TwoLayer
    diverged: dict[int, int]


def predict(
    networks: TwoLayer, x: np.ndarray | Tensor, s: float | Sequence[float] | Tensor
) -> Tensor:
    """phi_s = (1/sqrt(m)) sum_k a_k sigma_s(w_k . (x, 1)) at the points x [n, d], [R, n].

    sigma_s(z) = (1 - s) z + s relu(z)^2 / 2; s is a number or one for each of the R networks.
    """
    s = torch.as_tensor(s, dtype=networks.inner.dtype).view(-1, 1, 1)
    hidden = homotopy(with_bias(x, networks.inner) @ networks.inner, s, "relu2")
    return (hidden @ networks.outer[:, :, None]).squeeze(-1) / networks.width**0.5


def train(
    problem: PoissonProblem,
    networks: TwoLayer,
    schedule: Schedule | Sequence[Schedule],
    points: int,
    quadrature: str = "grid",
    learning_rate: float | Sequence[float] = 1e-3,
    *,
    decay: float = 1.0,
    seeds: Sequence[int] | None = None,
    log_every: int = 100,
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
) -> Training:
    """Homotopy relaxation training by Adam on the energy of a Poisson problem.

    Minimises E(phi_s) = 1/2 int |grad phi|^2 + 1/2 (int phi)^2 - int f phi over both layers, the s
    that of the stage, the integrals means over n points. Update t + 1 of T has the learning rate
    eta decay^(t/T), and Adam keeps its state across a switch. In the history the row of step t is
    of the networks after t updates under the stage that makes update t + 1; the last row is under
    the last stage.

    Args:
        problem: what is solved.
        networks: where training starts, float32 or float64 on a CPU; left untouched.
        schedule: one for all runs or one for each, all of the same number of steps.
        points: n, of the quadrature.
        quadrature: grid (the same midpoints at every step, n = k^d) or monte_carlo (fresh uniform
            points at every step).
        learning_rate: eta at the first step, one for all runs or one for each.
        decay: final over initial learning rate, in (0, 1].
        seeds: of the points of monte_carlo, [R]; 0 .. R - 1 by default.
        log_every: steps between rows of the history; the last step is always there.
        progress: called from time to time with the steps done and the number of steps.
        checkpoint: as for `hrta.train`.

    Returns:
        History, trained networks and diverged runs. A run's numbers are the same, bit by bit,
        whatever other runs share the ensemble and however many threads torch has.

    Raises:
        ValueError: an argument outside its range, shapes that do not fit together, or a checkpoint
            that is not whole or of another training.
    """
    schedules = one_schedule_per_run(schedule, networks.runs)
    check_shapes_and_numbers(problem, networks, schedules, log_every, decay)
    _check(networks, points, quadrature)
    seeds = _given_seeds(quadrature, seeds, networks.runs)
    rates = one_rate_per_run(learning_rate, networks.runs)
    steps = schedules[0].steps
    pieces, s = _pieces(schedules, steps if seeds is None else max(1, DRAWN_POINTS // points))
    same = branches(networks, rates, s, seeds)
    own = {"problem": problem.name, "points": points, "quadrature": quadrature, "decay": decay}
    own |= {"log_every": int(log_every)} | identity(None, networks, schedules, rates, seeds)
    keeper = checkpoint and Checkpoint(checkpoint, own)
    kept = keeper.load() if keeper else {}
    engine = RitzEngine(problem, networks, points, seeds, rates)
    engine.branch(firsts(same[max(0, int(kept.get("pieces", 0)) - 1)]))
    # The networks after the last step are measured, too.
    logged = np.append(np.arange(steps) % int(log_every) == 0, True)
    factors = decay ** (np.arange(steps) / steps)
    measured = _run(engine, pieces, s, same, factors, logged, progress, keeper, kept)
    history = _history(problem, schedules, np.flatnonzero(logged), measured)
    diverged = {run: int(step) for run, step in enumerate(engine.diverged[same[-1]]) if step >= 0}
    return Training(history, engine.networks(same[-1]), diverged)


def _pieces(schedules: list[Schedule], longest: int) -> tuple[list[tuple[int, int]], np.ndarray]:
    """First and last step of pieces without a switch inside, and each run's s, [pieces, R]."""
    steps = schedules[0].steps
    switches = {switch for schedule in schedules for switch in schedule.switches}
    length = min(max(1, steps // PIECES), longest)
    pieces = list(pairwise(sorted({*range(0, steps, length), *switches, steps})))
    return pieces, np.array([[each.s_at(first) for each in schedules] for first, _ in pieces])


def _run(
    engine: RitzEngine,
    pieces: list[tuple[int, int]],
    s: np.ndarray,
    same: np.ndarray,
    factors: np.ndarray,
    logged: np.ndarray,
    progress: Progress | None,
    checkpoint: Checkpoint | None,
    kept: State,
) -> np.ndarray:
    """Take the engine through all pieces left; what it measured of all runs, [R, 5, logged]."""
    measured, done = [], int(kept.get("pieces", 0))
    if done:
        engine.restore(kept)
        measured.append(kept["measured"])
    for piece, (first, last) in enumerate(pieces[done:], start=done):
        if progress is not None:
            progress(first, len(factors))
        each = firsts(same[piece])
        if len(each) > len(engine.diverged):
            engine.branch(same[piece - 1][each])
        until = last + (last == len(factors))
        of_branches = engine.advance(s[piece, each], factors[first:last], logged[first:until])
        measured.append(of_branches[same[piece]])
        if checkpoint is not None and last < len(factors):
            checkpoint.offer(lambda done=piece + 1: _state(engine, done, measured))
    if progress is not None:
        progress(len(factors), len(factors))
    return np.concatenate(measured, axis=2)


def _state(engine: RitzEngine, done: int, measured: list[np.ndarray]) -> State:
    reached = {"pieces": np.array(done), "measured": np.concatenate(measured, axis=2)}
    return engine.state() | reached


def _history(
    problem: PoissonProblem, schedules: list[Schedule], steps: np.ndarray, measured: np.ndarray
) -> pd.DataFrame:
    """The tidy table of what was measured, [R, 5, steps]."""
    loss, square, slope_square, mean, exact_loss = measured.transpose(1, 0, 2).reshape(5, -1)
    size, slope_size = problem.square, problem.gradient_square
    return pd.DataFrame(
        {
            "run": np.repeat(np.arange(len(schedules)), len(steps)),
            "step": np.tile(steps, len(schedules)),
            "stage": [each.stage_at(step) for each in schedules for step in steps],
            "s": [each.s_at(step) for each in schedules for step in steps],
            "loss": loss,
            "exact_loss": exact_loss,
            # In this form of E(phi) nothing cancels.
            "energy": problem.minimum + (slope_square + mean**2) / 2,
            "l2_error": np.sqrt(square / size),
            "h1_error": np.sqrt((square + slope_square) / (size + slope_size)),
        }
    )


def _check(networks: TwoLayer, points: int, quadrature: str) -> None:
    """Refuse what the compiled loop does not know, and points that are none."""
    weights = networks.inner
    if weights.device.type != "cpu" or weights.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"deep_ritz: networks must be float32 or float64 on a CPU; they are {weights.dtype} on "
            f"{weights.device}"
        )
    if quadrature not in QUADRATURES:
        raise ValueError(f"unknown quadrature {quadrature!r}; there are {', '.join(QUADRATURES)}")
    if points < 1 or points != int(points):
        raise ValueError(f"deep_ritz: points = {points} is not a whole number of at least 1")
    if quadrature == "grid":
        grid(points, networks.inputs)


def _given_seeds(quadrature: str, seeds: Sequence[int] | None, runs: int) -> np.ndarray | None:
    """The seed of each run's points, if they are drawn."""
    if quadrature == "grid":
        if seeds is not None:
            raise ValueError("deep_ritz: seeds are for monte_carlo; a grid has none")
        return None
    return one_seed_per_run(seeds, runs, "deep_ritz: seeds")
