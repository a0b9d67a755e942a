import numpy as np
import pytest
import torch
from closed_form import closed_form

from hrta import ntk
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
