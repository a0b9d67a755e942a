import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrta import TwoLayer, ntk
from hrta.activations import homotopy
from hrta.targets import make_problem

RANDOM = np.random.default_rng(11)
POINTS = RANDOM.normal(size=(6, 2))
S_VALUES = [0.0, 0.5, 1.0, 1.5, 2.0]


def closed_form(x, s, part):
    """The formulas of the paper, entry by entry, in 40 digits."""
    with mpmath.workdps(40):
        biased = [[mpmath.mpf(float(value)) for value in row] + [mpmath.mpf(1)] for row in x]
        norm = [mpmath.sqrt(sum(v * v for v in row)) for row in biased]
        result = np.zeros((len(x), len(x)))
        for i, u in enumerate(biased):
            for j, v in enumerate(biased):
                dot = sum(a * b for a, b in zip(u, v, strict=True))
                rho = mpmath.mpf(1) if i == j else dot / (norm[i] * norm[j])
                linear, absolute = (1 - mpmath.mpf(s) / 2) ** 2, (mpmath.mpf(s) / 2) ** 2
                twice = 2 / mpmath.pi
                inner = linear * dot + absolute * twice * dot * mpmath.asin(rho)
                bow = mpmath.sqrt(1 - rho**2) + rho * mpmath.asin(rho)
                outer = linear * dot + absolute * twice * norm[i] * norm[j] * bow
                parts = {"inner": inner, "outer": outer, "total": inner + outer}
                result[i, j] = float(parts[part])
    return result


@pytest.mark.parametrize("part", ntk.PARTS)
@pytest.mark.parametrize("s", S_VALUES)
def test_closed_form_is_that_of_the_paper(s, part):
    near = POINTS[:1] + 1e-9
    x = np.concatenate([POINTS, near, 1e6 * POINTS[:1]])
    expected = closed_form(x, s, part)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    # A dozen roundings each.
    assert np.abs((ntk.gram(x, s, part) - expected) / scale).max() < 4e-15


@pytest.mark.parametrize("part", ntk.PARTS)
@pytest.mark.parametrize("s", S_VALUES)
def test_wide_networks_approach_the_closed_form(s, part):
    """Monte-Carlo: the mean over networks lies within 5 of its standard errors."""
    networks = TwoLayer.initialise(range(50), 2, 2000, dtype=torch.float64)
    samples = np.array(
        [
            ntk.empirical_gram(POINTS, inner.numpy(), outer.numpy(), s, part)
            for inner, outer in zip(networks.inner, networks.outer, strict=True)
        ]
    )
    error = np.abs(samples.mean(0) - ntk.gram(POINTS, s, part))
    standard_error = samples.std(0, ddof=1) / np.sqrt(len(samples))
    assert (error < 5 * standard_error).all()
    assert (standard_error < 0.05 * np.abs(samples.mean(0)).max()).all()


@pytest.mark.parametrize("s", S_VALUES)
def test_empirical_gram_is_the_product_of_gradients(s):
    network = TwoLayer.initialise([2], 2, 9, dtype=torch.float64)
    inner = network.inner[0].clone().requires_grad_()
    outer = network.outer[0].clone().requires_grad_()
    biased = torch.cat([torch.tensor(POINTS), torch.ones(6, 1, dtype=torch.float64)], dim=1)
    predicted = homotopy(biased @ inner, s) @ outer / 9**0.5
    rows = [torch.autograd.grad(value, (inner, outer), retain_graph=True) for value in predicted]
    jacobian = {
        "inner": torch.stack([row[0].flatten() for row in rows]),
        "outer": torch.stack([row[1] for row in rows]),
        "total": torch.stack([torch.cat([row[0].flatten(), row[1]]) for row in rows]),
    }
    for part in ntk.PARTS:
        expected = (jacobian[part] @ jacobian[part].T).numpy()
        computed = ntk.empirical_gram(POINTS, inner.detach(), outer.detach(), s, part)
        np.testing.assert_allclose(computed, expected, rtol=1e-13, atol=1e-13)


@given(st.floats(0.01, 2))
def test_smallest_eigenvalue_follows_the_s_squared_law(s):
    """G has rank d + 1, so for n > d + 1 lambda_min(K_s) is nearly s^2 lambda_min(K_1)."""
    x = make_problem("sine1d", 30, 1).x
    ratio = ntk.spectrum(ntk.gram(x, s))[0] / ntk.spectrum(ntk.gram(x, 1))[0]
    assert ratio == pytest.approx(s**2, rel=0.01)


@pytest.mark.parametrize("s", S_VALUES[1:])
def test_gram_is_symmetric_and_positive_definite(s):
    matrix = ntk.gram(POINTS, s)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert ntk.spectrum(matrix)[0] > 0


def test_spectrum_is_ascending_and_rounding_is_zero():
    basis, _ = np.linalg.qr(RANDOM.normal(size=(5, 5)))
    matrix = basis @ np.diag([0, 0, 1e-9, 1, 3]) @ basis.T
    spectrum = ntk.spectrum((matrix + matrix.T) / 2)
    assert spectrum[:2].tolist() == [0, 0]
    np.testing.assert_allclose(spectrum[2:], [1e-9, 1, 3], rtol=1e-6)
    assert (ntk.spectrum(ntk.gram(POINTS, 0))[:3] == 0).all()


@pytest.mark.parametrize("width", [20, 200])
def test_in_one_dimension_empty_gaps_make_zero_eigenvalues(width):
    """Three neighbouring points without a kink between them are a vector in the kernel."""
    x = make_problem("sine1d", 100, 1).x
    network = TwoLayer.initialise([0], 1, width, dtype=torch.float64)
    slope, bias = network.inner[0].numpy()
    kinks, _ = np.histogram(-bias / slope, bins=x[:, 0])
    without = np.sum((kinks[:-1] == 0) & (kinks[1:] == 0))
    spectrum = ntk.spectrum(ntk.empirical_gram(x, network.inner[0], network.outer[0], 1.0))
    assert without > 30
    assert np.sum(spectrum == 0) == without


def test_tables_hold_every_eigenvalue():
    infinite = ntk.infinite_width_spectra(POINTS, [0.5, 1.5])
    assert list(infinite.columns) == ["s", "index", "eigenvalue"]
    at = infinite[infinite["s"] == 1.5]
    assert at["index"].tolist() == list(range(6))
    np.testing.assert_array_equal(at["eigenvalue"], ntk.spectrum(ntk.gram(POINTS, 1.5)))
    finite = ntk.initial_spectra(POINTS, 9, [4, 7], [1.0])
    network = TwoLayer.initialise([7], 2, 9, dtype=torch.float64)
    matrix = ntk.empirical_gram(POINTS, network.inner[0], network.outer[0], 1.0)
    chosen = finite.loc[finite["seed"] == 7, "eigenvalue"]
    np.testing.assert_array_equal(chosen, ntk.spectrum(matrix))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((POINTS, 2.1), r"s = 2.1 is outside \[0, 2\]"),
        ((POINTS, float("nan")), r"outside \[0, 2\]"),
        ((POINTS, 1, "all"), "unknown part 'all'; there are total, inner, outer"),
        ((POINTS[:, 0], 1), r"x must be \[n, d\]"),
        ((POINTS * np.nan, 1), "finite"),
    ],
)
def test_what_makes_no_kernel_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ntk.gram(*arguments)


def test_weights_that_do_not_fit_the_points_are_refused():
    with pytest.raises(ValueError, match=r"inner must be \[3, m\] and outer \[m\]"):
        ntk.empirical_gram(POINTS, np.zeros((2, 5)), np.zeros(5), 1)


def test_arguments_may_be_tensors():
    expected = ntk.gram(POINTS, 0.75)
    x = torch.tensor(POINTS, requires_grad=True)
    computed = ntk.gram(x, torch.tensor(0.75))
    assert type(computed) is np.ndarray
    assert computed.dtype == np.float64
    np.testing.assert_array_equal(computed, expected)
    np.testing.assert_array_equal(ntk.gram(POINTS, np.float32(0.75)), expected)
    inner = torch.ones(3, 4, requires_grad=True)
    assert type(ntk.empirical_gram(x, inner, torch.ones(4), 1)) is np.ndarray


def test_weights_that_are_no_numbers_are_refused():
    for inner, outer in ((np.full((3, 5), np.nan), np.ones(5)), (np.ones((3, 0)), np.ones(0))):
        with pytest.raises(ValueError, match="weights must be finite numbers, and m at least 1"):
            ntk.empirical_gram(POINTS, inner, outer, 1)
