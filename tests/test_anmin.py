"""ANMIN against its formulas, one sum at a time, and dense least squares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrta import anmin


def problem(points, inputs, width, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(points, inputs))
    y = np.sin(2 * x).sum(axis=1) + 0.1 * random.normal(size=points)
    return x, y, random.normal(size=(inputs + 1, width))


def one_round(x, y, inner, ridge, leak):
    """b, A, pattern, b with the sums of the paper, entry by entry."""
    biased = np.column_stack([x, np.ones(len(x))])
    n, (inputs, width) = len(x), inner.shape

    def slopes(inner):
        return (biased @ inner > 0) * (1 - leak) + leak

    def outer_step(slopes, inner):
        z = np.column_stack([np.ones(n), slopes * (biased @ inner)])
        return np.linalg.solve(z.T @ z + ridge * np.eye(width + 1), z.T @ y)

    g = slopes(inner)
    intercept, *outer = outer_step(g, inner)
    normal = ridge * np.eye(inputs * width)
    right = np.zeros(inputs * width)
    for j in range(width):
        for i in range(n):
            part = outer[j] * g[i, j] * (y[i] - intercept) * biased[i]
            right[j * inputs : (j + 1) * inputs] += part
            for k in range(width):
                block = outer[j] * outer[k] * g[i, j] * g[i, k] * np.outer(biased[i], biased[i])
                rows = slice(j * inputs, (j + 1) * inputs)
                normal[rows, k * inputs : (k + 1) * inputs] += block
    inner = np.linalg.solve(normal, right).reshape(width, inputs).T
    fixed = intercept + (g * (biased @ inner)) @ outer
    g = slopes(inner)
    intercept, *outer = outer_step(g, inner)
    predicted = intercept + (g * (biased @ inner)) @ outer
    return inner, outer, intercept, np.mean((fixed - y) ** 2), np.mean((predicted - y) ** 2)


@pytest.mark.parametrize(("points", "width"), [(40, 3), (9, 5), (6, 12)])
@pytest.mark.parametrize("leak", [0.0, 0.1])
def test_a_round_is_that_of_the_paper(points, width, leak):
    """With more points than unknowns and with fewer, which are solved for in different ways."""
    x, y, start = problem(points, 2, width)
    result = anmin.train(x, y, start, rounds=1, ridge=0.1, leak=leak)
    inner, outer, intercept, fixed, loss = one_round(x, y, start, 0.1, leak)
    # The systems' condition numbers are below 1e5.
    np.testing.assert_allclose(result.inner, inner, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(result.outer, outer, rtol=1e-8, atol=1e-9)
    assert result.intercept == pytest.approx(intercept, rel=1e-8, abs=1e-9)
    assert result.fixed_pattern_losses[1] == pytest.approx(fixed, rel=1e-8)
    assert result.losses[1] == pytest.approx(loss, rel=1e-8)


def test_test_losses_are_those_after_every_round():
    random = np.random.default_rng(5)
    x, inner = random.normal(size=(20, 2)), random.normal(size=(3, 6))
    y, test = np.sin(x.sum(1)), (random.normal(size=(4, 2)), np.ones(4))
    trained = anmin.train(x, y, inner, rounds=3, test=test)
    for rounds, loss in enumerate(trained.test_losses):
        until = anmin.train(x, y, inner, rounds=rounds)
        np.testing.assert_allclose(loss, ((until.predict(test[0]) - 1) ** 2).mean(), rtol=1e-12)
    assert len(trained.test_losses) == 4
    assert until.test_losses is None
    with pytest.raises(
        ValueError, match=r"test targets .*; their shapes are \[4, 2\], \[5\] and \[3, 6\]"
    ):
        anmin.train(x, y, inner, test=(test[0], np.ones(5)))


@pytest.mark.parametrize("rounds", [0, 3])
def test_losses_are_those_of_the_network_returned(rounds):
    x, y, start = problem(50, 3, 8)
    result = anmin.train(x, y, start, rounds=rounds)
    assert result.losses.shape == result.fixed_pattern_losses.shape == (rounds + 1,)
    assert result.losses[0] == result.fixed_pattern_losses[0]
    assert result.losses[-1] == pytest.approx(np.mean((result.predict(x) - y) ** 2), rel=1e-12)


@given(
    st.integers(2, 40),
    st.integers(1, 3),
    st.integers(1, 12),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1e-3, 0.1, 10.0]),
    st.sampled_from([0.0, 0.2]),
)
def test_each_solve_lowers_the_ridge_objective(points, inputs, width, seed, ridge, leak):
    """With the pattern held fixed: at its solution no direction goes down, so none is better."""
    x, y, start = problem(points, inputs, width, seed)
    result = anmin.train(x, y, start, rounds=1, ridge=ridge, leak=leak)
    first = anmin.train(x, y, start, rounds=0, ridge=ridge, leak=leak)
    biased = np.column_stack([x, np.ones(points)])

    def objective(inner, slopes, outer, intercept, ridged):
        residual = intercept + (slopes * (biased @ inner)) @ outer - y
        return residual @ residual + ridge * (ridged**2).sum()

    slopes = np.where(biased @ start > 0, 1.0, leak)
    before = objective(start, slopes, first.outer, first.intercept, start)
    after = objective(result.inner, slopes, first.outer, first.intercept, result.inner)
    assert after <= before * (1 + 1e-9)
    nudged = result.inner + 1e-3 * np.random.default_rng(seed).normal(size=start.shape)
    assert after <= objective(nudged, slopes, first.outer, first.intercept, nudged)
    slopes = np.where(biased @ result.inner > 0, 1.0, leak)
    old, new = (np.array([each.intercept, *each.outer]) for each in (first, result))
    both = [objective(result.inner, slopes, each[1:], each[0], each) for each in (old, new)]
    assert both[1] <= both[0] * (1 + 1e-9)


def test_a_round_of_a_wide_network_fits_with_its_pattern_and_not_without():
    """4000 unknowns and 125 equations: the smallest A that fits is far from the old pattern."""
    x, y, start = problem(125, 3, 1000)
    result = anmin.train(x, y, start, rounds=2)
    assert result.losses[0] < 1e-6
    assert (result.fixed_pattern_losses < 1e-5).all()
    assert result.losses[2] > 1e-3


def test_enough_rounds_fit_what_can_be_fitted():
    x, y, start = problem(200, 1, 30)
    result = anmin.train(x, y, start, rounds=30)
    assert result.losses.min() < 0.02
    assert (result.losses[1:] < result.losses[0]).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros(5)}, r"x must be \[n, d\]"),
        ({"y": np.zeros(4)}, r"\[d \+ 1, m\]; their shapes are \[9, 2\], \[4\] and"),
        ({"inner": np.zeros((2, 4))}, r"their shapes are \[9, 2\], \[9\] and \[2, 4\]"),
        ({"y": np.full(9, np.nan)}, "x, y and inner must be finite"),
        ({"rounds": -1}, "rounds must be a non-negative integer; it is -1"),
        ({"ridge": 0}, "ridge must be a positive number; it is 0"),
        ({"leak": 1}, r"leak must be in \[0, 1\); it is 1"),
    ],
)
def test_what_cannot_be_trained_is_refused(change, message):
    x, y, inner = problem(9, 2, 4)
    with pytest.raises(ValueError, match=message):
        anmin.train(**({"x": x, "y": y, "inner": inner} | change))


def test_a_singular_system_is_one_clear_error():
    x, y = np.zeros((30, 1)), np.ones(30)
    with pytest.raises(
        anmin.SingularSystemError, match="no system is singular in float64; it is 1e-20"
    ):
        anmin.train(x, y, np.ones((2, 5)), ridge=1e-20)


def test_a_system_that_does_not_fit_is_refused_before():
    x, y, _ = problem(300_000, 1, 1)
    with pytest.raises(MemoryError, match=r"an A-step with 300000 unknowns: .* GiB needed"):
        anmin.train(x, y, np.ones((2, 150_000)))


def test_whole_numbers_may_be_floats():
    x, y, inner = np.ones((3, 1)), np.arange(3.0), np.ones((2, 2))
    assert len(anmin.train(x, y, inner, rounds=2.0).losses) == 3
