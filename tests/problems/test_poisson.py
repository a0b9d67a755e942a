"""The Poisson problems against their equation, and the points against integrals known exactly."""

import numpy as np
import pytest
import torch

from hrta.problems.poisson import (
    MODES,
    PoissonProblem,
    gauss_legendre,
    grid,
    make_problem,
    monte_carlo,
)

PI = torch.pi
FUNCTIONS = {
    "cosines": lambda x: torch.cos(PI * x[:, 0]) + torch.cos(PI * x[:, 1]),
    "product": lambda x: torch.cos(2 * PI * x[:, 0]) * torch.cos(3 * PI * x[:, 1]),
    "cosines3d": lambda x: torch.cos(PI * x).sum(dim=1),
}


def derivatives(name, x):
    """u, grad u and Laplace u by automatic differentiation."""
    x = torch.tensor(x, requires_grad=True)
    u = FUNCTIONS[name](x)
    (gradient,) = torch.autograd.grad(u.sum(), x, create_graph=True)
    laplace = sum(
        torch.autograd.grad(gradient[:, j].sum(), x, retain_graph=True)[0][:, j]
        for j in range(x.shape[1])
    )
    return u.detach().numpy(), gradient.detach().numpy(), laplace.numpy()


def test_the_functions_here_are_of_all_problems():
    assert list(FUNCTIONS) == list(MODES)


@pytest.mark.parametrize("name", MODES)
def test_the_solution_solves_the_equation(name):
    problem = make_problem(name)
    x = np.random.default_rng(0).uniform(size=(50, problem.dimension))
    u, gradient, laplace = derivatives(name, x)
    np.testing.assert_allclose(problem.solution(x), u, atol=1e-13)
    np.testing.assert_allclose(problem.gradient(x), gradient, atol=1e-12)
    np.testing.assert_allclose(problem.source(x), -laplace, atol=1e-11)


@pytest.mark.parametrize("name", MODES)
def test_the_boundary_condition_holds(name):
    problem = make_problem(name)
    inside = np.random.default_rng(0).uniform(size=(20, problem.dimension))
    for j in range(problem.dimension):
        for side in (0.0, 1.0):
            on_side = inside.copy()
            on_side[:, j] = side
            np.testing.assert_allclose(problem.gradient(on_side)[:, j], 0, atol=1e-13)


@pytest.mark.parametrize("name", MODES)
def test_integrals_are_those_of_a_high_order_quadrature(name):
    problem = make_problem(name)
    x, weights = gauss_legendre(24**problem.dimension, problem.dimension)
    u, gradient, f = problem.solution(x), problem.gradient(x), problem.source(x)
    assert weights @ u == pytest.approx(0, abs=1e-13)
    assert weights @ f == pytest.approx(0, abs=1e-11)
    assert weights @ u**2 == pytest.approx(problem.square, rel=1e-12)
    assert weights @ (gradient**2).sum(axis=1) == pytest.approx(problem.gradient_square, rel=1e-12)
    energy = weights @ ((gradient**2).sum(axis=1) / 2 - f * u) + (weights @ u) ** 2 / 2
    assert energy == pytest.approx(problem.minimum, rel=1e-12)


@pytest.mark.parametrize("name", MODES)
def test_no_perturbation_lowers_the_energy(name):
    """E(u + v) = E(u) + 1/2 int |grad v|^2 + 1/2 (int v)^2, for a v that is no cosine."""
    problem = make_problem(name)
    x, weights = gauss_legendre(24**problem.dimension, problem.dimension)
    for size in (0.1, -0.3):
        values = problem.solution(x) + size * np.exp(x).sum(axis=1)
        slopes = problem.gradient(x) + size * np.exp(x)
        mean = weights @ values
        energy = weights @ ((slopes**2).sum(axis=1) / 2 - problem.source(x) * values) + mean**2 / 2
        square = problem.dimension * (np.e**2 - 1) / 2
        expected = problem.minimum + size**2 / 2 * (square + (problem.dimension * (np.e - 1)) ** 2)
        assert energy == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", MODES)
def test_the_grid_has_the_exact_energy_of_the_solution(name):
    problem = make_problem(name)
    x = grid(8**problem.dimension, problem.dimension)
    assert problem.energy(x) == pytest.approx(problem.minimum, rel=1e-12)
    batches = np.stack([x, 1 - x, x / 2])
    assert problem.energy(batches)[:2].tolist() == pytest.approx([problem.minimum] * 2, rel=1e-12)
    assert problem.energy(batches).shape == (3,)


def test_the_grid_is_of_midpoints():
    np.testing.assert_allclose(grid(2, 1), [[0.25], [0.75]])
    np.testing.assert_allclose(grid(4, 2), [[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]])
    assert grid(1000, 3).shape == (1000, 3)


@pytest.mark.parametrize(("points", "dimension"), [(401, 2), (400, 3), (0, 2), (-4, 2)])
def test_a_number_of_points_that_makes_no_grid_is_refused(points, dimension):
    kind = rf"k\^{dimension} for an integer k >= 1" if points > 0 else "a positive integer"
    message = f"grid: points must be {kind}; it is {points}"
    with pytest.raises(ValueError, match=message):
        grid(points, dimension)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_gauss_legendre_integrates_polynomials(dimension):
    x, weights = gauss_legendre(5**dimension, dimension)
    assert len(x) == 5**dimension
    # Five points are exact up to degree 9.
    assert weights @ (x**9).prod(axis=1) == pytest.approx(0.1**dimension, rel=1e-12)
    assert len(gauss_legendre(5**dimension + 1, dimension)[1]) == 6**dimension


def test_random_points_depend_on_seed_and_step_alone():
    together = monte_carlo(3, 0, 9, points=5, dimension=2)
    assert together.shape == (9, 5, 2)
    np.testing.assert_array_equal(monte_carlo(3, 4, 7, 5, 2), together[4:7])
    assert len(np.unique(together)) == together.size
    assert not np.isin(monte_carlo(4, 0, 9, 5, 2), together).any()
    assert monte_carlo(3, 4, 4, 5, 2).shape == (0, 5, 2)


def test_random_points_are_uniform():
    x = monte_carlo(0, 0, 400, points=100, dimension=2).reshape(-1, 2)
    # Four standard deviations of the mean of a uniform number, and of a product of two.
    error = 4 / np.sqrt(len(x))
    assert x.mean(axis=0) == pytest.approx([1 / 2] * 2, abs=error / np.sqrt(12))
    assert x.prod(axis=1).mean() == pytest.approx(1 / 4, abs=error * np.sqrt(7) / 12)
    assert x.min() >= 0
    assert x.max() < 1


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of cosines, .*; it is 'square'"):
        make_problem("square")
    for modes in ((), ((0, 0),), ((1, 0), (1,)), ((1, 2), (1, 2)), ((1, 2), (-1, 2))):
        with pytest.raises(ValueError, match="problem mine: modes must be distinct, not 0"):
            PoissonProblem("mine", modes)
