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
        ((np.zeros(3), Y), r"their shapes are \[3\] and \[3\]"),
        ((np.zeros((0, 2)), np.zeros(0)), "n, d >= 1"),
        ((np.full((3, 2), np.nan), Y), "finite"),
        ((X, np.array([0, 0, np.inf])), "finite"),
        ((X, Y, X), "must be given together"),
        ((X, Y, np.zeros((2, 1)), np.zeros(2)), "x_test must have 2 columns, as x; it has 1"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Problem("mine", *arguments)


def test_classes_are_integers():
    problem = Problem("mine", X, [0.0, 1, 0], X, [1, 1, 1], classes=2)
    assert problem.classes == 2
    assert problem.y.dtype == problem.y_test.dtype == np.int64
    assert problem.y.tolist() == [0, 1, 0]
    assert Problem("mine", X, Y).classes is None


@pytest.mark.parametrize(
    ("y", "y_test", "classes", "message"),
    [
        ([0, 1, 0.5], [0, 1, 1], 2, "the classes 0 .. 1, .*; one is 0.5"),
        ([0, 1, 2], [0, 1, 1], 2, "; one is 2"),
        ([0, 1, 1], [0, -1, 1], 2, "; one is -1"),
        ([0, 2, 2], [0, 0, 0], 3, "with a training point of each$"),
        ([0, 0, 0], [0, 0, 0], 1, "at least two"),
        ([0, 1, np.nan], [0, 0, 0], 2, "finite"),
    ],
)
def test_targets_that_are_not_the_classes_are_refused(y, y_test, classes, message):
    with pytest.raises(ValueError, match=message):
        Problem("mine", X, y, X, y_test, classes)


def test_the_callers_arrays_are_copied():
    y = np.zeros(3)
    problem = Problem("mine", X, y)
    y[0] = np.nan
    assert problem.y[0] == 0


def test_tensors_will_do():
    problem = Problem("mine", torch.ones(3, 2, requires_grad=True), torch.zeros(3))
    assert problem.x.tolist() == np.ones((3, 2)).tolist()
