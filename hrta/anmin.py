"""ANMIN: two-layer networks with a (leaky) ReLU, trained by exact alternating minimisation.

Source: A. Barbu, Training a Two-Layer ReLU Network Analytically, Sensors 23(8):4072 (2023); the
details follow its author's public code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hrta.runtime.arguments import as_integer, as_number, shown
from hrta.runtime.arrays import as_float64
from hrta.runtime.imports import needed_by

with needed_by("hrta.anmin"):
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    from hrta.runtime.memory import need_memory

# Elements of one chunk of the design matrix: 32 MB.
CHUNK = 2**22
# The largest absolute value: products of larger ones would overflow.
LARGEST = 1e100


class SingularSystemError(ValueError):
    """The ridge is so small that a system is singular in float64."""


@dataclass(frozen=True, eq=False)
class Anmin:
    """What `train` returns.

    Attributes:
        losses: the network's mean squared error after every round, [rounds + 1]; the first is the
            one after the initial b-step.
        fixed_pattern_losses: the mean squared error after every A-step, with the pattern held fixed
            in it, [rounds + 1]; the first equals that of `losses`. The A-step minimises this loss
            (plus the ridge term); the network's own loss may rise.
        inner: A, [d + 1, m], the bias row last.
        outer: b, [m].
        intercept: b_0.
        leak: alpha of g(u) = alpha u + (1 - alpha) relu(u).
        test_losses: as `losses`, on the test points; None without test points.
    """

    losses: np.ndarray
    fixed_pattern_losses: np.ndarray
    inner: np.ndarray
    outer: np.ndarray
    intercept: float
    leak: float
    test_losses: np.ndarray | None = None

    def predict(self, x: Any) -> np.ndarray:
        """f at the points x [n, d], [n].

        Raises:
            ValueError: x is not [n, d].
        """
        biased = _with_ones(x)
        if biased.shape[1] != len(self.inner):
            raise ValueError(
                f"anmin: x must be [n, {len(self.inner) - 1}]; it has {biased.shape[1] - 1} columns"
            )
        return _predict(biased, self.inner, self.intercept, self.outer, self.leak)


def _predict(
    biased: np.ndarray, inner: np.ndarray, intercept: float, outer: np.ndarray, leak: float
) -> np.ndarray:
    hidden = biased @ inner
    return intercept + _slopes(hidden, leak) * hidden @ outer


def train(
    x: Any,
    y: Any,
    inner: Any,
    rounds: int = 30,
    ridge: float = 1e-3,
    leak: float = 0.0,
    *,
    test: tuple[Any, Any] | None = None,
) -> Anmin:
    """Alternate two exact ridge regressions, with the pattern of active neurons held fixed.

    f(x) = b_0 + b . g(A' (x, 1)), g(u) = alpha u + (1 - alpha) relu(u). With the slopes
    G_ij = alpha + (1 - alpha) 1[(x_i, 1) . A_j > 0] held fixed f is linear in A and linear in
    (b_0, b). Each step minimises sum_i (f(x_i) - y_i)^2 + ridge |.|^2 exactly; the ridge term
    includes the intercept. After an initial b-step, each round is an A-step, the new pattern, and a
    b-step.

    The A-step has (d + 1) m unknowns and n equations. It solves a system of size
    k = min((d + 1) m, n), which takes 8 k^2 bytes and k^3 / 3 multiply-adds.

    Args:
        x: points, [n, d], without the bias column.
        y: targets, [n].
        inner: initial A, [d + 1, m], the bias row last; N(0, 1) in the source.
        rounds: number of rounds; 0 is the initial b-step alone.
        ridge: lambda, positive.
        leak: alpha, in [0, 1).
        test: test points [k, d] and targets [k].

    Raises:
        ValueError: an argument outside its range, or shapes that do not fit together.
        SingularSystemError: a subclass of ValueError; the ridge is too small for float64.
        MemoryError: a system does not fit into memory; the message says how much it needs.
    """
    biased, y, inner = _with_ones(x), as_float64(y, "anmin: y"), as_float64(inner, "anmin: inner")
    rounds = as_integer(rounds, "anmin: rounds", least=0)
    _check_numbers(ridge, leak)
    _check_arrays(biased, y, inner, "x, y and inner")
    unknowns = min(inner.size, len(y))
    # The matrix of the system, and that of the products of its rows and columns without slopes, or
    # of a chunk. The Cholesky factor overwrites the former.
    need_memory(16 * unknowns**2, f"anmin: an A-step with {unknowns} unknowns")
    if test is not None:
        if not isinstance(test, tuple | list) or len(test) != 2:
            raise ValueError("anmin: test must be a pair of points [k, d] and targets [k]")
        biased_test = _with_ones(test[0], "test points")
        y_test = as_float64(test[1], "anmin: test targets")
        _check_arrays(biased_test, y_test, inner, "test points, test targets and inner")
    losses, fixed, test_losses = [], [], []
    every_round = _rounds(biased, y, inner, rounds, ridge, leak)
    for inner, intercept, outer, loss, fixed_pattern_loss in every_round:
        losses.append(loss)
        fixed.append(losses[0] if fixed_pattern_loss is None else fixed_pattern_loss)
        if test is not None:
            predicted = _predict(biased_test, inner, intercept, outer, leak)
            test_losses.append(_mean_square(predicted - y_test))
    tested = None if test is None else np.array(test_losses)
    return Anmin(np.array(losses), np.array(fixed), inner, outer, float(intercept), leak, tested)


def _rounds(
    biased: np.ndarray, y: np.ndarray, inner: np.ndarray, rounds: int, ridge: float, leak: float
) -> Iterator[tuple[np.ndarray, float, np.ndarray, float, float | None]]:
    """A, b_0, b, loss and fixed-pattern loss after the initial b-step and after every round."""
    fixed_pattern_loss = None
    gram = biased @ biased.T if len(y) < inner.size else None
    for number in range(rounds + 1):
        hidden = biased @ inner
        slopes = _slopes(hidden, leak)
        features = slopes * hidden
        intercept, outer = _outer_step(features, y, ridge)
        loss = _mean_square(intercept + features @ outer - y)
        yield inner, intercept, outer, loss, fixed_pattern_loss
        if number < rounds:
            inner = _inner_step(biased, gram, slopes, outer, y - intercept, ridge)
            residual = intercept + slopes * (biased @ inner) @ outer - y
            fixed_pattern_loss = _mean_square(residual)


def _slopes(hidden: np.ndarray, leak: float) -> np.ndarray:
    return np.maximum(hidden > 0, leak)


def _mean_square(residual: np.ndarray) -> float:
    return float(residual @ residual / len(residual))


def _outer_step(features: np.ndarray, y: np.ndarray, ridge: float) -> tuple[float, np.ndarray]:
    """(b_0, b) from (Z'Z + ridge) (b_0; b) = Z'y with Z = [1, features]."""
    design = np.column_stack([np.ones(len(features)), features])
    if len(design) < design.shape[1]:
        solved = design.T @ _solve(design @ design.T, y, ridge)
    else:
        solved = _solve(design.T @ design, design.T @ y, ridge)
    return solved[0], solved[1:]


def _inner_step(
    biased: np.ndarray,
    gram: np.ndarray | None,
    slopes: np.ndarray,
    outer: np.ndarray,
    y: np.ndarray,
    ridge: float,
) -> np.ndarray:
    """A by ridge regression on the design matrix Phi_i,(jk) = x_ij G_ik b_k.

    With fewer points than unknowns A = Phi' (Phi Phi' + ridge)^-1 y. Phi Phi' is the elementwise
    product of two Gram matrices, and Phi itself is not built. `gram` is that of the points, [n, n];
    None with more points than unknowns.
    """
    weighted = slopes * outer
    inputs, width = biased.shape[1], len(outer)
    if gram is not None:
        product = weighted @ weighted.T
        product *= gram
        dual = _solve(product, y, ridge)
        return (biased * dual[:, None]).T @ weighted
    normal, right = np.zeros((inputs * width,) * 2), np.zeros(inputs * width)
    chunk = max(1, CHUNK // (inputs * width))
    for first in range(0, len(y), chunk):
        here = slice(first, first + chunk)
        design = (biased[here, :, None] * weighted[here, None, :]).reshape(-1, inputs * width)
        normal += design.T @ design
        right += design.T @ y[here]
    return _solve(normal, right, ridge).reshape(inputs, width)


def _solve(matrix: np.ndarray, right: np.ndarray, ridge: float) -> np.ndarray:
    """(matrix + ridge)^-1 right; the symmetric, positive semi-definite matrix is overwritten."""
    matrix[np.diag_indices(len(matrix))] += ridge
    try:
        # LAPACK stores matrices by columns: it would copy the matrix, but not its transpose.
        factor = cho_factor(matrix.T, overwrite_a=True, check_finite=False)
        return cho_solve(factor, right, check_finite=False)
    except LinAlgError:
        raise SingularSystemError(
            f"anmin: ridge must be so large that no system is singular in float64; it is {ridge:g}"
        ) from None


def _with_ones(x: Any, name: str = "x") -> np.ndarray:
    x = as_float64(x, f"anmin: {name}")
    if x.ndim != 2 or x.size == 0:
        raise ValueError(
            f"anmin: {name} must be [n, d] with n, d >= 1; its shape is {list(x.shape)}"
        )
    return np.column_stack([x, np.ones(len(x))])


def _check_arrays(biased: np.ndarray, y: np.ndarray, inner: np.ndarray, names: str) -> None:
    n, inputs = biased.shape
    if y.shape != (n,) or inner.ndim != 2 or len(inner) != inputs or inner.size == 0:
        raise ValueError(
            f"anmin: {names} must be [n, d], [n] and [d + 1, m]; their shapes are "
            f"{[n, inputs - 1]}, {list(y.shape)} and {list(inner.shape)}"
        )
    # NaN is in no range.
    if not all((np.abs(values) <= LARGEST).all() for values in (biased, y, inner)):
        raise ValueError(
            f"anmin: {names} must be finite, and at most {LARGEST:g} in absolute value"
        )


def _check_numbers(ridge: float, leak: float) -> None:
    if not 0 < as_number(ridge) < np.inf:
        raise ValueError(f"anmin: ridge must be a positive number; it is {shown(ridge)}")
    if not 0 <= as_number(leak) < 1:
        raise ValueError(f"anmin: leak must be in [0, 1); it is {shown(leak)}")
