import math

import numpy as np
import pytest

from hrta.problems.targets import TARGETS, make_problem


def test_sine1d_is_the_papers():
    problem = make_problem("sine1d", points=100, test_points=50)
    assert problem.x.shape == (100, 1)
    np.testing.assert_allclose(np.diff(problem.x[:, 0]), 1 / 99, rtol=1e-12)
    for x, y in zip(problem.x[:, 0], problem.y, strict=True):
        assert y == pytest.approx(math.sin(2 * math.pi * x), abs=1e-15)


def test_sine3d_is_a_grid_of_5_a_side():
    problem = make_problem("sine3d", points=125, test_points=10)
    assert problem.x.shape == (125, 3)
    assert len(np.unique(problem.x, axis=0)) == 125
    assert set(np.unique(problem.x)) == {0, 0.25, 0.5, 0.75, 1}
    for x, y in zip(problem.x, problem.y, strict=True):
        assert y == pytest.approx(math.sin(2 * math.pi * sum(x)), abs=1e-14)


def test_jump1d_jumps_at_zero():
    function = TARGETS["jump1d"].function
    x = np.array([-3.0, -1.0, 0.0, 1e-9, 1.0, 3.0])
    expected = [0.2 * math.sin(6 * z) if z <= 0 else 1 + 0.1 * z * math.cos(18 * z) for z in x]
    np.testing.assert_allclose(function(x[:, None]), expected, rtol=1e-15)


@pytest.mark.parametrize("name", TARGETS)
def test_test_points_are_in_the_domain_apart_from_training_and_repeatable(name):
    problem = make_problem(name, points=64, test_points=30, seed=5)
    chosen = TARGETS[name]
    assert problem.x_test.shape == (30, chosen.inputs)
    assert problem.x_test.min() >= chosen.low
    assert problem.x_test.max() <= chosen.high
    assert not {*map(tuple, problem.x)} & {*map(tuple, problem.x_test)}
    np.testing.assert_array_equal(problem.y_test, chosen.function(problem.x_test))
    np.testing.assert_array_equal(make_problem(name, 64, 30, seed=5).x_test, problem.x_test)
    assert not np.array_equal(make_problem(name, 64, 30, seed=6).x_test, problem.x_test)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cosine", 10, 10), "name must be one of sine1d, sine3d, jump1d; it is 'cosine'"),
        (("sine3d", 100, 10), r"points must be k\^3 for an integer k >= 2; it is 100"),
        (("sine1d", 1, 10), r"integer k >= 2"),
        (("sine1d", 10, 0), "test_points must be a positive integer; it is 0"),
    ],
)
def test_what_makes_no_problem_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_problem(*arguments)
