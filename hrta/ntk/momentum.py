"""Heavy ball and Nesterov momentum at infinite width, with fixed outer weights.

A step of gradient descent changes the residual r = phi - y by -(eta/n) K r, with K the inner
layer's Gram matrix: the loss is a quadratic with the eigenvalues lambda_i = lambda_i(K) / n. Let
lambda be the smallest of them, q = sqrt(lambda eta) and beta = (1 - q)/(1 + q). For eta of at most
1 over the largest, t steps multiply mode i, up to factors that grow no faster than t, by

    heavy ball   beta^(t/2), the same for all modes
    Nesterov     (beta (1 - eta lambda_i))^(t/2), which is (1 - q)^t for the slowest mode

so asymptotically Nesterov's loss falls as (1 - q)^(2t) and heavy ball's as ((1 - q)/(1 + q))^t.
"""

from collections.abc import Sequence
from math import log1p

import numpy as np
from scipy.linalg import eigh

from hrta.runtime.arguments import as_number, check_one_of, shown
from hrta.runtime.arrays import real_array

OPTIMIZERS = ("gradient_descent", "heavy_ball", "nesterov")


def momentum_from_kernel(smallest: float, learning_rate: float) -> float:
    """beta = (1 - q) / (1 + q), q = sqrt(lambda eta).

    Args:
        smallest: lambda, the smallest eigenvalue of the Gram matrix divided by n.
        learning_rate: eta.

    Raises:
        ValueError: lambda not positive, or lambda eta outside (0, 1].

    Source: arXiv 2208.03941.
    """
    low, rate = as_number(smallest), as_number(learning_rate)
    if not (low > 0 and 0 < low * rate <= 1):
        raise ValueError(
            "momentum_from_kernel: smallest must be positive and smallest x learning_rate in "
            f"(0, 1]; they are {shown(smallest)} and {shown(smallest)} x {shown(learning_rate)}"
        )
    q = (smallest * learning_rate) ** 0.5
    return (1 - q) / (1 + q)


def linear_exponents(q: float) -> dict[str, float]:
    """gamma of each optimizer at infinite width: asymptotically its loss falls as exp(-gamma q t).

    Gradient descent -2 ln(1 - q^2)/q, heavy ball ln((1 + q)/(1 - q))/q, Nesterov -2 ln(1 - q)/q:
    to first order in q these are 2q, 2 and 2 + q.

    Args:
        q: sqrt(lambda eta), in (0, 1).

    Raises:
        ValueError: q outside (0, 1).

    Source: derived in the docstring of this module.
    """
    if not 0 < as_number(q) < 1:
        raise ValueError(f"linear_exponents: q must be in (0, 1); it is {shown(q)}")
    decays = (-2 * log1p(-(q**2)), log1p(q) - log1p(-q), -2 * log1p(-q))
    return {name: decay / q for name, decay in zip(OPTIMIZERS, decays, strict=True)}


def predict_losses_with_momentum(
    kernel: np.ndarray,
    residuals: np.ndarray,
    optimizer: str,
    learning_rate: float,
    momentum: float,
    steps: Sequence[int],
) -> np.ndarray:
    """Loss curves R = |r|^2 / (2n) at infinite width, computed in the eigenbasis of the kernel.

    Args:
        kernel: K, [n, n].
        residuals: initial r, [R, n].
        optimizer: one of OPTIMIZERS.
        learning_rate: eta.
        momentum: beta; gradient descent ignores it.
        steps: the steps whose losses are returned, ascending, at least 0.

    Returns:
        [R, steps].

    Raises:
        ValueError: an unknown optimizer, shapes that do not fit together, values that are not
            finite, a learning rate that is not positive, a momentum outside [0, 1), or steps that
            are not ascending integers.

    Source: the updates of `hrta.training.optimizers`, with the gradient (eta/n) lambda_i(K) r_i of
        mode i.
    """
    where = "predict_losses_with_momentum:"
    observed = real_array(steps, f"{where} steps")
    kernel = real_array(kernel, f"{where} kernel")
    residuals = real_array(residuals, f"{where} residuals")
    _check(kernel, residuals, observed)
    check_one_of(optimizer, OPTIMIZERS, f"{where} optimizer")
    if not 0 < as_number(learning_rate) < np.inf:
        raise ValueError(f"{where} learning_rate must be positive; it is {shown(learning_rate)}")
    if not 0 <= as_number(momentum) < 1:
        raise ValueError(f"{where} momentum must be in [0, 1); it is {shown(momentum)}")
    n = len(kernel)
    eigenvalues, vectors = eigh(kernel)
    beta = 0.0 if optimizer == "gradient_descent" else momentum
    wanted = set(observed.tolist())
    factor, velocity, factors = np.ones(n), np.zeros(n), []
    for step in range(observed[-1] + 1):
        if step in wanted:
            factors.append(factor)
        descent = learning_rate / n * eigenvalues * factor
        velocity = beta * velocity - descent
        factor = factor + (beta * velocity - descent if optimizer == "nesterov" else velocity)
    return (residuals @ vectors) ** 2 @ np.square(factors).T / (2 * n)


def _check(kernel: np.ndarray, residuals: np.ndarray, steps: np.ndarray) -> None:
    n = len(kernel) if kernel.ndim else 0
    where = "predict_losses_with_momentum:"
    if kernel.shape != (n, n) or residuals.ndim != 2 or residuals.shape[1] != n:
        raise ValueError(
            f"{where} kernel must be [n, n] and residuals [R, n]; they are {list(kernel.shape)} "
            f"and {list(residuals.shape)}"
        )
    if not (np.isfinite(kernel).all() and np.isfinite(residuals).all()):
        raise ValueError(f"{where} kernel and residuals must be finite")
    integers = steps.ndim == 1 and steps.size and steps.dtype.kind in "iu"
    if not integers or steps[0] < 0 or (np.diff(steps) <= 0).any():
        raise ValueError(
            f"{where} steps must be ascending integers of at least 0; they are "
            f"{shown(steps.tolist())}"
        )
