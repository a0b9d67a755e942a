import numpy as np
import pytest
import torch

from hrta import Problem

X, Y = np.zeros((3, 2)), np.zeros(3)


def test_arrays_become_float64():
    problem = Problem("mine", [[1], [2]], [3, 4])
    assert problem.x.dtype == problem.y.dtype == np.float64
    assert problem.inputs == 1
    assert problem.x_test is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, np.zeros(2)), r"x must be \[n, d\] and y \[n\]"),
        ((np.zeros(3), Y), r"they are \[3\] and \[3\]"),
        ((np.zeros((0, 2)), np.zeros(0)), "n, d >= 1"),
        ((np.full((3, 2), np.nan), Y), "finite"),
        ((X, np.array([0, 0, np.inf])), "finite"),
        ((X, Y, X), "go together"),
        ((X, Y, np.zeros((2, 1)), np.zeros(2)), "x_test has 1 columns, x has 2"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Problem("mine", *arguments)


def test_the_callers_arrays_are_copied():
    y = np.zeros(3)
    problem = Problem("mine", X, y)
    y[0] = np.nan
    assert problem.y[0] == 0


def test_tensors_will_do():
    problem = Problem("mine", torch.ones(3, 2, requires_grad=True), torch.zeros(3))
    assert problem.x.tolist() == np.ones((3, 2)).tolist()
