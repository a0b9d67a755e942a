import numpy as np
import pytest
import torch

from hrta.training.kernels.lbfgs import Pairs, next_direction
from hrta.training.lbfgs_optimizer import Lbfgs


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def with_gradient(x):
    """Loss and gradient of the Rosenbrock function by autograd."""
    x = torch.tensor(x, requires_grad=True)
    loss = rosenbrock(x)
    loss.backward()
    return loss.item(), x.grad.numpy()


def by_torch(start, calls, learning_rate, history_size):
    """Losses after each call of torch.optim.LBFGS.step, and the number of evaluations."""
    x = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [x],
        lr=learning_rate,
        history_size=history_size,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        loss = rosenbrock(x)
        loss.backward()
        return loss

    losses = []
    for iterations, evaluations in calls:
        optimizer.param_groups[0].update(max_iter=iterations, max_eval=evaluations)
        optimizer.step(closure)
        losses.append(rosenbrock(x).item())
    return losses, optimizer.state[x]["func_evals"]


@pytest.mark.parametrize(("learning_rate", "history_size"), [(1.0, 10), (0.1, 2), (10.0, 5)])
def test_iterations_and_evaluations_are_those_of_torch(learning_rate, history_size):
    start = np.linspace(-1.5, 1.2, 6)
    calls = [(1, 30), (1, 30), (4, 3), (8, 60), (8, 60)]
    expected, evaluations = by_torch(start, calls, learning_rate, history_size)
    seen, losses, x = [], [], start

    def evaluate(x):
        seen.append(x)
        return with_gradient(x)

    optimizer = Lbfgs(evaluate, len(start), start.dtype, learning_rate, history_size)
    for each in calls:
        x = optimizer.step(x, *each)
        losses.append(with_gradient(x)[0])
    # Rounding errors of 1e-16 grow with the iterations.
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    assert len(seen) == evaluations


def test_at_a_minimum_it_ends():
    start = np.ones(4)
    seen = []

    def evaluate(x):
        seen.append(x)
        return with_gradient(x)

    end = Lbfgs(evaluate, 4, start.dtype, 1.0, 5).step(start, 10, 100)
    np.testing.assert_array_equal(end, start)
    assert len(seen) == 1


@pytest.mark.parametrize("count", [1, 3, 8])
def test_the_direction_is_that_of_the_dense_inverse_hessian(count):
    """The updates of BFGS (Nocedal and Wright, 6.17) with the last three pairs."""
    random = np.random.default_rng(0)
    size, stored = 7, 3
    root = random.normal(size=(size, size))
    steps = random.normal(size=(count, size))
    changes = steps @ (root @ root.T)
    gradient = random.normal(size=size)
    pairs = Pairs(*np.empty((2, stored, size)), np.empty(stored))
    number, scale = 0, 1.0
    for step, change in zip(steps, changes, strict=True):
        direction, number, scale = next_direction(pairs, number, scale, step, change, gradient)
    assert number == count
    inverse = np.eye(size) * (steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for s, y in zip(steps[-stored:], changes[-stored:], strict=True):
        left = np.eye(size) - np.outer(s, y) / (s @ y)
        inverse = left @ inverse @ left.T + np.outer(s, s) / (s @ y)
    np.testing.assert_allclose(direction, -inverse @ gradient, rtol=1e-9)


def test_a_pair_without_positive_curvature_is_not_stored():
    pairs = Pairs(*np.zeros((2, 4, 3)), np.zeros(4))
    step, gradient = np.array([1.0, 2.0, 0.0]), np.array([3.0, -1.0, 2.0])
    direction, count, scale = next_direction(pairs, 0, 0.5, step, -step, gradient)
    assert (count, scale) == (0, 0.5)
    np.testing.assert_array_equal(direction, -0.5 * gradient)
