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
    if not (smallest > 0 and 0 < smallest * learning_rate <= 1):
        raise ValueError(
            "momentum_from_kernel: smallest must be positive and smallest x learning_rate in "
            f"(0, 1]; they are {smallest:g} and {smallest:g} x {learning_rate:g}"
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
    if not 0 < q < 1:
        raise ValueError(f"linear_exponents: q must be in (0, 1); it is {q:g}")
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
        ValueError: an unknown optimizer, shapes that do not fit together, or steps that are not
            ascending.

    Source: the updates of `hrta.training.optimizers`, with the gradient (eta/n) lambda_i(K) r_i of
        mode i.
    """
    observed, n = np.asarray(steps), len(kernel)
    if optimizer not in OPTIMIZERS:
        raise ValueError(
            "predict_losses_with_momentum: optimizer must be one of "
            f"{', '.join(OPTIMIZERS)}; it is {optimizer!r}"
        )
    if np.shape(kernel) != (n, n) or np.ndim(residuals) != 2 or np.shape(residuals)[1] != n:
        raise ValueError(
            "predict_losses_with_momentum: kernel must be [n, n] and residuals [R, n]; they are "
            f"{list(np.shape(kernel))} and {list(np.shape(residuals))}"
        )
    if observed.size == 0 or observed[0] < 0 or (np.diff(observed) <= 0).any():
        raise ValueError(
            "predict_losses_with_momentum: steps must be ascending and at least 0; they are "
            f"{observed}"
        )
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
