"""Eigenvalues of Gram matrices."""

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrta import TwoLayer, ntk
from hrta.ntk.eigenvalues import spectrum
from hrta.problems.targets import make_problem

RANDOM = np.random.default_rng(11)
POINTS = RANDOM.normal(size=(6, 2))


@given(st.floats(0.01, 2))
def test_smallest_eigenvalue_follows_the_s_squared_law(s):
    """G has rank d + 1, so for n > d + 1 lambda_min(K_s) is nearly s^2 lambda_min(K_1)."""
    x = make_problem("sine1d", 30, 1).x
    ratio = spectrum(ntk.gram(x, s))[0] / spectrum(ntk.gram(x, 1))[0]
    assert ratio == pytest.approx(s**2, rel=0.01)


def test_spectrum_is_ascending_and_rounding_is_zero():
    basis, _ = np.linalg.qr(RANDOM.normal(size=(5, 5)))
    matrix = basis @ np.diag([0, 0, 1e-9, 1, 3]) @ basis.T
    eigenvalues = spectrum((matrix + matrix.T) / 2)
    assert eigenvalues[:2].tolist() == [0, 0]
    np.testing.assert_allclose(eigenvalues[2:], [1e-9, 1, 3], rtol=1e-6)
    assert (spectrum(ntk.gram(POINTS, 0))[:3] == 0).all()


@pytest.mark.parametrize("width", [20, 200])
def test_in_one_dimension_empty_gaps_make_zero_eigenvalues(width):
    """Three neighbouring points without a kink between them are a vector in the kernel."""
    x = make_problem("sine1d", 100, 1).x
    network = TwoLayer.initialise([0], 1, width, dtype=torch.float64)
    slope, bias = network.inner[0].numpy()
    kinks, _ = np.histogram(-bias / slope, bins=x[:, 0])
    without = np.sum((kinks[:-1] == 0) & (kinks[1:] == 0))
    eigenvalues = spectrum(ntk.empirical_gram(x, network.inner[0], network.outer[0], 1.0))
    assert without > 30
    assert np.sum(eigenvalues == 0) == without


@pytest.mark.parametrize(("name", "points"), [("sine1d", 40), ("sine3d", 27)])
@pytest.mark.parametrize("s", [0.5, 1, 2])
def test_the_smallest_eigenvalue_is_that_of_fifty_digits(name, points, s):
    """Relative error below 1e-6, and below the stated limit n eps lambda_max / lambda_min."""
    from closed_form import closed_form

    x = make_problem(name, points, 1).x
    with mpmath.workdps(50):
        exact = mpmath.eigsy(closed_form_matrix(x, s), eigvals_only=True)
    smallest, largest = float(min(exact)), float(max(exact))
    computed = spectrum(ntk.gram(x, s))
    error = abs(computed[0] / smallest - 1)
    assert error < 1e-6
    assert error < len(x) * np.finfo(float).eps * largest / smallest
    assert computed[-1] == pytest.approx(largest, rel=1e-13)
    np.testing.assert_allclose(ntk.gram(x, s), closed_form(x, s, "total"), rtol=1e-12, atol=1e-300)


def closed_form_matrix(x, s):
    """The total kernel in mpmath, all digits kept."""
    biased = [[mpmath.mpf(float(value)) for value in row] + [mpmath.mpf(1)] for row in x]
    p, q = (1 - mpmath.mpf(s) / 2) ** 2, (mpmath.mpf(s) / 2) ** 2 * 2 / mpmath.pi
    norm = [mpmath.sqrt(sum(v * v for v in row)) for row in biased]
    matrix = mpmath.matrix(len(x))
    for i, u in enumerate(biased):
        for j, v in enumerate(biased):
            dot = sum(a * b for a, b in zip(u, v, strict=True))
            rho = mpmath.mpf(1) if i == j else dot / (norm[i] * norm[j])
            bow = mpmath.sqrt(1 - rho**2) + 2 * rho * mpmath.asin(rho)
            matrix[i, j] = 2 * p * dot + q * norm[i] * norm[j] * bow
    return matrix


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((1, 1)), r"symmetric, \[n, n\] with n >= 2; its shape is \[1, 1\]"),
        (np.ones((3, 2)), "symmetric"),
        (np.full((3, 3), np.nan), "finite"),
    ],
)
def test_what_has_no_spectrum_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        spectrum(matrix)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-12, 1e-15])
def test_below_rounding_the_smallest_eigenvalue_is_off_by_no_more_than_stated(gap):
    """Nearly coinciding points: it is off by n eps lambda_max at most, or given as 0."""
    x = np.array([[0.1], [0.1 + gap], [0.5], [0.9]])
    with mpmath.workdps(50):
        exact = mpmath.eigsy(closed_form_matrix(x, 1.0), eigvals_only=True)
    smallest, largest = float(min(exact)), float(max(exact))
    computed = spectrum(ntk.gram(x, 1.0))[0]
    rounding = len(x) * np.finfo(float).eps * largest
    assert abs(computed - smallest) < rounding
    assert (computed == 0) == (smallest < rounding)
