"""The linearised network: gradient descent at infinite width, in closed form.

phi_s = (1 - s/2) L + (s/2) A splits a network into its linear and its absolute-value part. At
infinite width the tangent kernels of the two, K_0 = `gram(x, 0)` and K_2 = `gram(x, 2)`, are
constant and have no cross terms, so with the residual r = phi_s - y a step of gradient descent is

    L += -(eta/n) (1 - s/2) K_0 r,    A += -(eta/n) (s/2) K_2 r,    r += -(eta/n) K_s r,

K_s = (1 - s/2)^2 K_0 + (s/2)^2 K_2. A switch of s changes neither L nor A, and phi_s jumps.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh

from hrta.ntk.matrices import check_parameter, gram
from hrta.problems.problem import Problem
from hrta.runtime.arguments import as_integer, check_type, shown
from hrta.runtime.arrays import as_float64, real_array
from hrta.runtime.memory import need_memory
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
    """L and A of networks at the points x [n, d], [R, n] each: phi_s at s = 0 and s = 2.

    Raises:
        ValueError: networks that are not a `TwoLayer`, or points that do not fit them.
    """
    if not hasattr(networks, "predict"):
        raise ValueError(
            f"parts_of: networks must be an hrta.TwoLayer; it is a {type(networks).__name__}"
        )
    return as_float64(networks.predict(x, 0.0)), as_float64(networks.predict(x, 2.0))


def draw_parts(x: np.ndarray, runs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """L and A of networks of infinite width at initialisation, [R, n] each.

    Independent Gaussians; their covariances are the outer layer's kernels at s = 0 and s = 2.

    Raises:
        ValueError: as `gram`; runs not a positive, seed not a non-negative integer.
        MemoryError: the parts do not fit into memory.
    """
    runs = as_integer(runs, "draw_parts: runs")
    seed = as_integer(seed, "draw_parts: seed", least=0)
    generator = np.random.default_rng(seed)
    parts = []
    for s in (0.0, 2.0):
        eigenvalues, vectors = eigh(gram(x, s, "outer"))
        need_memory(16 * runs * len(vectors), f"draw_parts: {runs} runs")
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

    In the eigenbasis of K_s each step multiplies a component of the residual by 1 - eta lambda / n,
    so a stage needs one eigendecomposition for all its steps.

    Args:
        problem: points and targets.
        schedule: the stages, T steps in total.
        learning_rates: eta of each step, [T].
        parts: initial L and A, [R, n] each, from `parts_of` or `draw_parts`.
        steps: the steps whose losses are returned, ascending, in [0, T]; at a switch it is the loss
            after the jump, as in the history of `hrta.train`.

    Returns:
        R_s = |r|^2 / (2 n), [R, steps].

    Raises:
        ValueError: an argument of another type, values that are not finite, shapes that do not fit
            together, or steps that are not ascending integers in [0, T].
    """
    check_type(problem, Problem, "predict_losses: problem")
    check_type(schedule, Schedule, "predict_losses: schedule")
    observed = real_array(steps, "predict_losses: steps")
    learning_rates = as_float64(learning_rates, "predict_losses: learning_rates")
    if not isinstance(parts, tuple | list) or len(parts) != 2:
        raise ValueError(f"predict_losses: parts must be a pair of arrays; it is {shown(parts)}")
    linear, absolute = (as_float64(part, "predict_losses: each of parts") for part in parts)
    _check(problem, schedule, learning_rates, linear, absolute, observed)
    kernels = gram(problem.x, 0.0), gram(problem.x, 2.0)
    losses = np.empty((len(linear), len(observed)))
    first = 0
    for stage in schedule.stages:
        last = first + stage.steps
        is_end = (observed == last) & (last == schedule.steps)
        here = (observed >= first) & (observed < last) | is_end
        losses[:, here], linear, absolute = _stage(
            problem.y,
            stage.s,
            kernels,
            linear,
            absolute,
            learning_rates[first:last],
            observed[here] - first,
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
    """Losses after the given steps of a stage, [R, steps], and L and A at its end."""
    n, p, q = len(y), 1 - s / 2, s / 2
    eigenvalues, vectors = eigh(p**2 * kernels[0] + q**2 * kernels[1])
    eigenvalues = np.maximum(eigenvalues, 0)  # rounding may make them negative
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
    # sum_t (eta_t / n) r_t, which moves both parts
    path = (start * travelled) @ vectors.T
    return losses, linear - p * path @ kernels[0], absolute - q * path @ kernels[1]


def expected_jump(problem: Problem, before: float, after: float) -> float:
    """The expected loss just after a switch of s at the end of a stage trained to convergence.

    At the end of the stage phi = y, and L - A is an affine function of the initial L and A, which
    are independent Gaussians of covariances C_0 and C_2 (the outer layer's kernels at s = 0 and 2).
    With p = 1 - s/2 and q = s/2 of the stage, and F = (p K_0 - q K_2) K_s^-1,

        L - A = F y + (1 - p F) L(0) - (1 + q F) A(0)
        E R = ((before - after) / 2)^2 / (2 n)
              (|F y|^2 + tr[(1 - p F) C_0 (1 - p F)'] + tr[(1 + q F) C_2 (1 + q F)'])

    Raises:
        ValueError: s outside [0, 2]; or K_s is singular in float64, so training does not converge
            to phi = y.
    """
    check_type(problem, Problem, "expected_jump: problem")
    before, after = check_parameter(before), check_parameter(after)
    n, p, q = len(problem.y), 1 - before / 2, before / 2
    linear, absolute = gram(problem.x, 0.0), gram(problem.x, 2.0)
    eigenvalues, vectors = eigh(p**2 * linear + q**2 * absolute)
    if eigenvalues[0] < n * np.finfo(np.float64).eps * eigenvalues[-1]:
        raise ValueError(f"expected_jump: the kernel must not be singular; it is at s = {before:g}")
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
            f"predict_losses: learning_rates must be [{schedule.steps}], one for each step; its "
            f"shape is {list(learning_rates.shape)}"
        )
    if linear.ndim != 2 or linear.shape != absolute.shape or linear.shape[1] != len(problem.y):
        raise ValueError(
            f"predict_losses: parts must be [R, {len(problem.y)}]; their shapes are "
            f"{list(linear.shape)} and {list(absolute.shape)}"
        )
    if not all(np.isfinite(each).all() for each in (learning_rates, linear, absolute)):
        raise ValueError("predict_losses: learning_rates and parts must be finite")
    integers = steps.ndim == 1 and steps.size and steps.dtype.kind in "iu"
    if not integers or (np.diff(steps) <= 0).any() or steps[0] < 0 or steps[-1] > schedule.steps:
        raise ValueError(
            f"predict_losses: steps must be ascending integers in [0, {schedule.steps}]; they are "
            f"{shown(steps.tolist())}"
        )
