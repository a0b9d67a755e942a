import numpy as np
import pytest
import torch
from closed_form import closed_form

from hrta import TwoLayer, ntk
from hrta.activations import homotopy
from hrta.ntk import matrices
from hrta.ntk.eigenvalues import spectrum

RANDOM = np.random.default_rng(11)
POINTS = RANDOM.normal(size=(6, 2))
S_VALUES = [0.0, 0.5, 1.0, 1.5, 2.0]


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


@pytest.mark.parametrize("s", S_VALUES[1:])
def test_gram_is_symmetric_and_positive_definite(s):
    matrix = ntk.gram(POINTS, s)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert spectrum(matrix)[0] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((POINTS, 2.1), r"s must be in \[0, 2\]; it is 2.1"),
        ((POINTS, float("nan")), r"s must be in \[0, 2\]; it is nan"),
        ((POINTS, 1, "all"), "part must be one of total, inner, outer; it is 'all'"),
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
        with pytest.raises(ValueError, match="weights must be finite, and m at least 1"):
            ntk.empirical_gram(POINTS, inner, outer, 1)


def test_several_networks_at_once_are_each_by_itself():
    networks = TwoLayer.initialise([1, 2, 3], 2, 7)
    s = [0.5, 1.0, 1.5]
    together = ntk.empirical_gram(POINTS, networks.inner, networks.outer, s)
    assert together.shape == (3, 6, 6)
    for run in range(3):
        alone = ntk.empirical_gram(POINTS, networks.inner[run], networks.outer[run], s[run])
        np.testing.assert_array_equal(together[run], alone)


def test_a_wide_network_is_worked_on_in_chunks(monkeypatch):
    network = TwoLayer.initialise([1], 2, 100, dtype=torch.float64)
    whole = ntk.empirical_gram(POINTS, network.inner[0], network.outer[0], 1.5)
    monkeypatch.setattr(matrices, "CHUNK", 70)
    parts = ntk.empirical_gram(POINTS, network.inner[0], network.outer[0], 1.5)
    np.testing.assert_allclose(parts, whole, rtol=1e-14, atol=1e-15)


def test_coinciding_points_are_named():
    x = np.array([[0.1], [0.7], [0.1], [0.4]])
    with pytest.warns(UserWarning, match="1 of the 4 points are repeated; the smallest eigen"):
        matrix = ntk.gram(x, 1.5)
    assert spectrum(matrix)[0] == 0


def test_what_does_not_fit_into_memory_is_refused_before():
    x = np.linspace(0, 1, 10**7)[:, None]
    with pytest.raises(MemoryError, match=r"10000000 points: 7.45e\+05 GiB needed, .* GiB free"):
        ntk.gram(x, 1)


def test_points_whose_squares_overflow_are_refused():
    with pytest.raises(ValueError, match="absolute values of x must be at most 1e100"):
        ntk.gram(np.array([[1e200], [1.0]]), 1)
