"""The linearised network against its definition, chance, and real networks."""

import numpy as np
import pytest
import torch

from hrta import Problem, Schedule, Stage, TwoLayer, ntk, train
from hrta.ntk import linearised
from hrta.problems.targets import make_problem

PROBLEM = make_problem("sine1d", 12, 1)
SCHEDULE = Schedule([Stage(0.5, 30), Stage(1, 20), Stage(1.5, 25)])


def test_prediction_is_gradient_descent_on_both_parts():
    rates = np.geomspace(0.5, 0.1, 75)
    linear, absolute = linearised.draw_parts(PROBLEM.x, 4, seed=1)
    steps = [0, 1, 29, 30, 31, 50, 74, 75]
    computed = linearised.predict_losses(PROBLEM, SCHEDULE, rates, (linear, absolute), steps)
    kernels, n = (ntk.gram(PROBLEM.x, 0), ntk.gram(PROBLEM.x, 2)), len(PROBLEM.y)
    expected = []
    for step in range(76):
        s = SCHEDULE.s_at(step)
        residual = (1 - s / 2) * linear + s / 2 * absolute - PROBLEM.y
        if step in steps:
            expected.append((residual**2).sum(1) / (2 * n))
        if step < 75:
            linear = linear - rates[step] / n * (1 - s / 2) * residual @ kernels[0]
            absolute = absolute - rates[step] / n * s / 2 * residual @ kernels[1]
    np.testing.assert_allclose(computed, np.transpose(expected), rtol=1e-9)


def test_a_wide_network_follows_the_prediction():
    """The deviation falls as 1/sqrt(m): at m = 100 000 it is a few per cent, at 1000 more."""
    schedule = Schedule.constant_length([1, 1.5], 100)
    deviations = []
    for width in (1000, 100_000):
        networks = TwoLayer.initialise(range(3), 1, width, dtype=torch.float64)
        training = train(PROBLEM, networks, schedule, "gradient_descent", 0.2, log_every=10)
        measured = training.history["loss"].to_numpy().reshape(3, -1)
        predicted = linearised.predict_losses(
            PROBLEM,
            schedule,
            np.full(200, 0.2),
            linearised.parts_of(networks, PROBLEM.x),
            range(0, 201, 10),
        )
        np.testing.assert_allclose(measured[:, 0], predicted[:, 0], rtol=1e-12)
        deviations.append(np.median(np.abs(np.log(measured / predicted)).max(axis=1)))
    assert deviations[1] < 0.1
    assert deviations[1] < deviations[0] / 3


def test_initial_parts_are_distributed_as_those_of_wide_networks():
    drawn = linearised.draw_parts(PROBLEM.x, 4000)
    networks = TwoLayer.initialise(range(4000), 1, 300, dtype=torch.float64)
    real = linearised.parts_of(networks, PROBLEM.x)
    for s, one, other in zip((0, 2), drawn, real, strict=True):
        expected = ntk.gram(PROBLEM.x, s, "outer")
        for part in (one, other):
            covariance = part.T @ part / len(part)
            # The relative standard error of a variance from 4000 draws is 2 %.
            assert np.abs(covariance - expected).max() < 0.15 * expected.max()
    cross = drawn[0].T @ drawn[1] / 4000
    assert np.abs(cross).max() < 0.1 * expected.max()


def test_the_expected_jump_is_the_mean_over_initialisations():
    problem = make_problem("sine3d", 27, 1)
    schedule = Schedule([Stage(1, 40_000), Stage(1.5, 1)])
    parts = linearised.draw_parts(problem.x, 2000)
    losses = linearised.predict_losses(
        problem, schedule, np.full(40_001, 0.3), parts, [39_999, 40_000]
    )
    assert losses[:, 0].max() < 1e-4
    mean, error = losses[:, 1].mean(), losses[:, 1].std() / 2000**0.5
    assert abs(mean - linearised.expected_jump(problem, 1, 1.5)) < 4 * error
    assert error < 0.03 * mean


def test_no_switch_no_jump():
    assert linearised.expected_jump(PROBLEM, 1, 1) == 0


def test_bound_falls_with_the_smallest_eigenvalue():
    assert linearised.bound(3.0, 0.5, 10, 0.0) == 3
    assert linearised.bound(3.0, 0.5, 10, 20.0) == pytest.approx(3 * np.exp(-2), rel=1e-15)


def test_the_prediction_never_crosses_the_bound():
    parts = linearised.draw_parts(PROBLEM.x, 5)
    schedule, rates = Schedule([Stage(1.5, 400)]), np.full(400, 0.2)
    steps = range(0, 401, 10)
    losses = linearised.predict_losses(PROBLEM, schedule, rates, parts, steps)
    smallest = np.linalg.eigvalsh(ntk.gram(PROBLEM.x, 1.5))[0]
    bound = linearised.bound(losses[:, :1], smallest, 12, 0.2 * np.array(steps))
    assert (losses <= bound * (1 + 1e-12)).all()


@pytest.mark.parametrize(
    ("rates", "parts", "steps", "message"),
    [
        (
            np.ones(3),
            np.zeros((2, 12)),
            [0],
            r"learning_rates must be \[75\], one for each step; its shape is \[3\]",
        ),
        (np.ones(75), np.zeros((2, 11)), [0], r"parts must be \[R, 12\]"),
        (
            np.ones(75),
            np.zeros((2, 12)),
            [3, 2],
            r"must be ascending integers in \[0, 75\]; they are \[3, 2\]",
        ),
        (
            np.ones(75),
            np.zeros((2, 12)),
            [76],
            r"must be ascending integers in \[0, 75\]; they are \[76\]",
        ),
    ],
)
def test_what_does_not_fit_is_refused(rates, parts, steps, message):
    with pytest.raises(ValueError, match=message):
        linearised.predict_losses(PROBLEM, SCHEDULE, rates, (parts, parts), steps)


def test_a_singular_kernel_has_no_end_to_train_to():
    with pytest.raises(ValueError, match="singular"):
        linearised.expected_jump(PROBLEM, 0, 1)
    assert isinstance(PROBLEM, Problem)
