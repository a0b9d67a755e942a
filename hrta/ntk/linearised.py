"""The linearised network: gradient descent at infinite width, in closed form.

phi_s = (1 - s/2) L + (s/2) A splits a network into its linear and its absolute-value part. At
infinite width the tangent kernels of the two, K_0 = `gram(x, 0)` and K_2 = `gram(x, 2)`, are
constant and have no cross terms, so with the residual r = phi_s - y gradient descent moves

    L by -(eta/n) (1 - s/2) K_0 r,    A by -(eta/n) (s/2) K_2 r,    r by -(eta/n) K_s r,

K_s = (1 - s/2)^2 K_0 + (s/2)^2 K_2. At a switch to another s, L and A stay and phi_s jumps.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh

from hrta.ntk.matrices import gram
from hrta.problems.problem import Problem
from hrta.runtime.arrays import as_float64
from hrta.schedules import Schedule

if TYPE_CHECKING:
    from hrta.networks.two_layer import TwoLayer


def bound(
    initial_loss: np.ndarray | float,
    smallest: np.ndarray | float,
    points: int,
    times: np.ndarray | float,
) -> np.ndarray:
    """R(0) exp(-2 lambda_min t / n), the bound of the theory.

    Args:
        initial_loss: R(0).
        smallest: lambda_min of the Gram matrix.
        points: n.
        times: t, the sum of the learning rates of the steps.

    Source: arXiv 2309.15244; the constants are assumed.
    """
    return initial_loss * np.exp(-2 / points * smallest * times)


def parts_of(networks: "TwoLayer", x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """L and A of networks at the points x [n, d], [R, n] each: phi_s at s = 0 and at s = 2."""
    return as_float64(networks.predict(x, 0.0)), as_float64(networks.predict(x, 2.0))


def draw_parts(x: np.ndarray, runs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """L and A of networks of infinite width at initialisation, [R, n] each.

    Independent Gaussians with the outer layer's kernels at s = 0 and s = 2 as covariances.
    """
    generator = np.random.default_rng(seed)
    parts = []
    for s in (0.0, 2.0):
        eigenvalues, vectors = eigh(gram(x, s, "outer"))
        root = vectors * np.sqrt(np.maximum(eigenvalues, 0))
        parts.append(generator.standard_normal((runs, len(root))) @ root.T)
    return parts[0], parts[1]


def predict_losses(
    problem: Problem,
    schedule: Schedule,
    learning_rates: np.ndarray,
    parts: tuple[np.ndarray, np.ndarray],
    steps: Sequence[int],
) -> np.ndarray:
    """The loss curve of gradient descent at infinite width, stage by stage.

    In the eigenvectors of K_s the residual's components are multiplied with 1 - eta lambda / n in
    each step, so a stage needs one decomposition, however many steps it has.

    Args:
        problem: points and targets.
        schedule: s, stage by stage, of T steps in all.
        learning_rates: eta of each step, [T].
        parts: L and A at the start, [R, n] each, from `parts_of` or `draw_parts`.
        steps: where to give the loss, ascending, in [0, T]; at a switch it is that after the jump,
            as in `hrta.train`'s history.

    Returns:
        R_s = |r|^2 / (2 n), [R, steps].

    Raises:
        ValueError: shapes that do not fit together, or steps out of order or range.
    """
    steps = np.asarray(steps)
    learning_rates = as_float64(learning_rates)
    linear, absolute = (as_float64(part) for part in parts)
    _check(problem, schedule, learning_rates, linear, absolute, steps)
    kernels = gram(problem.x, 0.0), gram(problem.x, 2.0)
    losses = np.empty((len(linear), len(steps)))
    first = 0
    for stage in schedule.stages:
        last = first + stage.steps
        here = (steps >= first) & (steps < last) | ((steps == last) & (last == schedule.steps))
        losses[:, here], linear, absolute = _stage(
            problem.y,
            stage.s,
            kernels,
            linear,
            absolute,
            learning_rates[first:last],
            steps[here] - first,
        )
        first = last
    return losses


def _stage(
    y: np.ndarray,
    s: float,
    kernels: tuple[np.ndarray, np.ndarray],
    linear: np.ndarray,
    absolute: np.ndarray,
    learning_rates: np.ndarray,
    steps: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Losses after some of a stage's steps, [R, steps], and L and A after all of them."""
    n, p, q = len(y), 1 - s / 2, s / 2
    eigenvalues, vectors = eigh(p**2 * kernels[0] + q**2 * kernels[1])
    eigenvalues = np.maximum(eigenvalues, 0)  # below 0 by rounding
    start = (p * linear + q * absolute - y) @ vectors
    losses = np.empty((len(linear), len(steps)))
    factor, travelled = np.ones(n), np.zeros(n)
    wanted = dict(zip(steps.tolist(), range(len(steps)), strict=True))
    for step in range(len(learning_rates) + 1):
        if step in wanted:
            losses[:, wanted[step]] = ((start * factor) ** 2).sum(axis=1) / (2 * n)
        if step < len(learning_rates):
            travelled += learning_rates[step] / n * factor
            factor *= 1 - learning_rates[step] / n * eigenvalues
    # sum_t (eta_t / n) r_t, which both parts moved along
    path = (start * travelled) @ vectors.T
    return losses, linear - p * path @ kernels[0], absolute - q * path @ kernels[1]


def expected_jump(problem: Problem, before: float, after: float) -> float:
    """The expected loss just after a switch of s, from a stage that was trained to the end.

    At the end of the stage phi = y, and L - A there is an affine function of L and A at the start,
    independent Gaussians of covariances C_0 and C_2 (the outer layer's kernels at s = 0 and 2).
    With p = 1 - s/2 and q = s/2 of the stage, and F = (p K_0 - q K_2) K_s^-1,

        L - A = F y + (1 - p F) L(0) - (1 + q F) A(0)
        E R = ((before - after) / 2)^2 / (2 n)
              (|F y|^2 + tr[(1 - p F) C_0 (1 - p F)'] + tr[(1 + q F) C_2 (1 + q F)'])

    Raises:
        ValueError: K_s is singular to rounding, so that no stage reaches its end.
    """
    n, p, q = len(problem.y), 1 - before / 2, before / 2
    linear, absolute = gram(problem.x, 0.0), gram(problem.x, 2.0)
    eigenvalues, vectors = eigh(p**2 * linear + q**2 * absolute)
    if eigenvalues[0] < n * np.finfo(np.float64).eps * eigenvalues[-1]:
        raise ValueError(f"expected_jump: the kernel of s = {before:g} is singular on these points")
    flow = (p * linear - q * absolute) @ (vectors / eigenvalues) @ vectors.T
    of_linear, of_absolute = np.eye(n) - p * flow, np.eye(n) + q * flow
    squares = (
        ((flow @ problem.y) ** 2).sum()
        + np.trace(of_linear @ gram(problem.x, 0.0, "outer") @ of_linear.T)
        + np.trace(of_absolute @ gram(problem.x, 2.0, "outer") @ of_absolute.T)
    )
    return float(((before - after) / 2) ** 2 * squares / (2 * n))


def _check(
    problem: Problem,
    schedule: Schedule,
    learning_rates: np.ndarray,
    linear: np.ndarray,
    absolute: np.ndarray,
    steps: np.ndarray,
) -> None:
    if learning_rates.shape != (schedule.steps,):
        raise ValueError(
            f"predict_losses: {schedule.steps} learning rates are needed, one for each step; their "
            f"shape is {list(learning_rates.shape)}"
        )
    if linear.ndim != 2 or linear.shape != absolute.shape or linear.shape[1] != len(problem.y):
        raise ValueError(
            f"predict_losses: both parts must be [R, {len(problem.y)}]; they are "
            f"{list(linear.shape)} and {list(absolute.shape)}"
        )
    if (np.diff(steps) <= 0).any() or (steps < 0).any() or (steps > schedule.steps).any():
        raise ValueError(f"predict_losses: steps must ascend within 0 .. {schedule.steps}")
