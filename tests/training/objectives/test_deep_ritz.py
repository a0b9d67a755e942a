"""The Deep Ritz objective against automatic differentiation and torch's own Adam, in float64."""

import numpy as np
import pytest
import torch

from hrta import Schedule, Stage, TwoLayer, train
from hrta.problems.poisson import gauss_legendre, grid, make_problem, monte_carlo
from hrta.training.kernels import ritz
from hrta.training.kernels.ritz_arrays import make_network, make_points
from hrta.training.objectives.deep_ritz import DeepRitz, predict

COSINES, CUBE = make_problem("cosines"), make_problem("cosines3d")
POINTS = {COSINES: 16, CUBE: 8}


def networks(problem, runs=1, width=13, dtype=torch.float64):
    return TwoLayer.initialise(range(runs), problem.dimension, width, dtype=dtype)


def minimise(
    problem,
    start,
    schedule,
    points,
    quadrature="grid",
    learning_rate=1e-3,
    *,
    seeds=None,
    log_every=100,
    **options,
):
    return train(
        problem,
        start,
        schedule,
        learning_rate=learning_rate,
        log_every=log_every,
        objective=DeepRitz(points, quadrature, seeds),
        **options,
    )


def values_and_slopes(weights, x, s):
    """phi and its gradient at x, of weights [d + 2, m] with the outer ones in the last row."""
    x = torch.tensor(x, requires_grad=True)
    z = x @ weights[:-2] + weights[-2]
    phi = ((1 - s) * z + s * torch.relu(z) ** 2 / 2) @ weights[-1] / weights.shape[1] ** 0.5
    return phi, torch.autograd.grad(phi.sum(), x, create_graph=True)[0]


def energy(weights, x, f, s):
    """The energy by the quadrature, to be differentiated."""
    phi, slopes = values_and_slopes(weights, x, s)
    return (slopes**2).sum(1).mean() / 2 + phi.mean() ** 2 / 2 - (torch.tensor(f) * phi).mean()


def weights_of(networks, run=0):
    return torch.cat([networks.inner[run], networks.outer[run][None]]).clone()


def by_hand(problem, start, schedule, rate, decay, x_of_step):
    """Adam by torch on the energy: losses before each update and at the end, and the weights."""
    weights = weights_of(start).requires_grad_()
    adam = torch.optim.Adam([weights], lr=rate)
    losses = []
    for step in range(schedule.steps + 1):
        x = x_of_step(step)
        adam.zero_grad()
        loss = energy(weights, x, problem.source(x), schedule.s_at(step))
        losses.append(loss.item())
        if step < schedule.steps:
            loss.backward()
            adam.param_groups[0]["lr"] = rate * decay ** (step / schedule.steps)
            adam.step()
    return losses, weights.detach()


@pytest.mark.parametrize("s", [0, 0.5, 1, 1.5, 2])
@pytest.mark.parametrize("problem", POINTS, ids=lambda problem: problem.name)
@pytest.mark.parametrize("width", [1, 70])
def test_energy_and_gradient_are_those_of_automatic_differentiation(problem, width, s):
    x = np.random.default_rng(0).uniform(size=(37, problem.dimension))
    weights = weights_of(networks(problem, width=width)).requires_grad_()
    expected = energy(weights, x, problem.source(x), s)
    expected.backward()
    points = make_points(x, problem.source(x), np.full(37, 1 / 37), width, np.float64)
    network = make_network(weights.detach().numpy())
    ritz.forward(points, network, float(s))
    phi, slopes = values_and_slopes(weights, x, s)
    np.testing.assert_allclose(points.values[:37], phi.detach(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(points.slopes[:-1, :37].T, slopes.detach(), rtol=1e-10, atol=1e-12)
    loss, mean = ritz.energy(points)
    ritz.backward(points, network, mean, float(s))
    assert loss == pytest.approx(expected.item(), rel=1e-10)
    scale = weights.grad.abs().max().item()
    np.testing.assert_allclose(network.gradient, weights.grad, rtol=1e-10, atol=1e-12 * scale)


@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("quadrature", ["grid", "monte_carlo"])
@pytest.mark.parametrize("problem", POINTS, ids=lambda problem: problem.name)
def test_steps_across_a_switch_are_those_of_adam(problem, quadrature, engine):
    points, start = POINTS[problem], networks(problem)
    schedule = Schedule([Stage(0.5, 7), Stage(1.5, 6)])

    def x_of_step(step):
        fresh = monte_carlo(5, step, step + 1, points, problem.dimension)[0]
        return fresh if quadrature == "monte_carlo" else grid(points, problem.dimension)

    losses, weights = by_hand(problem, start, schedule, 0.02, 0.3, x_of_step)
    seeds = [5] if quadrature == "monte_carlo" else None
    trained = minimise(
        *(problem, start, schedule, points, quadrature, 0.02),
        decay=0.3,
        seeds=seeds,
        log_every=1,
        engine=engine,
    )
    history = trained.history
    assert trained.engine == engine
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-9)
    exact = [problem.energy(x_of_step(step)) for step in range(14)]
    np.testing.assert_allclose(history["exact_loss"], exact, rtol=1e-12)
    # Adam's first steps divide a gradient by itself.
    torch.testing.assert_close(weights_of(trained.networks), weights, rtol=1e-9, atol=1e-9)
    assert history["step"].tolist() == list(range(14))
    assert history["stage"].tolist() == [1] * 7 + [2] * 7
    assert history["s"].tolist() == [0.5] * 7 + [1.5] * 7


@pytest.mark.parametrize("problem", POINTS, ids=lambda problem: problem.name)
def test_errors_and_energy_are_those_of_a_fine_quadrature(problem):
    start = networks(problem, width=200)
    trained = minimise(problem, start, Schedule([Stage(1.5, 5)]), POINTS[problem])
    x, weights = gauss_legendre(10000, problem.dimension)
    for network, (_, row) in zip(
        (start, trained.networks), trained.history.iterrows(), strict=True
    ):
        phi, slopes = (t.detach().numpy() for t in values_and_slopes(weights_of(network), x, 1.5))
        u, gradient = problem.solution(x), problem.gradient(x)
        square, size = weights @ (phi - u) ** 2, weights @ u**2
        slope_square = weights @ ((slopes - gradient) ** 2).sum(axis=1)
        slope_size = weights @ (gradient**2).sum(axis=1)
        mean = weights @ phi
        energy = weights @ ((slopes**2).sum(axis=1) / 2 - problem.source(x) * phi) + mean**2 / 2
        # Far from the solution the network's kinks cost the trainer's own quadrature little.
        assert row["l2_error"] == pytest.approx(np.sqrt(square / size), rel=1e-3)
        h1_error = np.sqrt((square + slope_square) / (size + slope_size))
        assert row["h1_error"] == pytest.approx(h1_error, rel=1e-3)
        assert row["energy"] == pytest.approx(energy, rel=1e-3)


def test_predictions_are_the_formula():
    start = networks(COSINES, runs=2)
    x = np.random.default_rng(0).uniform(size=(9, 2))
    for run, phi in enumerate(predict(start, x, [0.5, 1.5])):
        expected, _ = values_and_slopes(weights_of(start, run), x, [0.5, 1.5][run])
        torch.testing.assert_close(phi, expected.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("quadrature", ["grid", "monte_carlo"])
def test_a_run_that_shares_a_stage_is_the_run_alone(quadrature):
    schedules = [
        Schedule([Stage(1, 30), Stage(1, 30)]),
        Schedule([Stage(1, 30), Stage(1.5, 30)]),
        Schedule([Stage(1.5, 60)]),
    ] * 2
    start = TwoLayer.initialise([0, 0, 0, 0, 0, 1], 2, 50)
    rates = [0.01, 0.01, 0.01, 0.02, 0.01, 0.01]
    seeds = [1, 1, 1, 1, 2, 1] if quadrature == "monte_carlo" else None
    together = minimise(
        *(COSINES, start, schedules, 16, quadrature, rates), seeds=seeds, log_every=7
    )
    for run, schedule in enumerate(schedules):
        one = TwoLayer(start.inner[[run]], start.outer[[run]])
        seed = seeds and [seeds[run]]
        alone = minimise(
            *(COSINES, one, schedule, 16, quadrature, rates[run]), seeds=seed, log_every=7
        )
        history = together.history[together.history["run"] == run].drop(columns="run")
        expected = alone.history.drop(columns="run")
        np.testing.assert_array_equal(history.to_numpy(), expected.to_numpy())
        assert torch.equal(weights_of(together.networks, run), weights_of(alone.networks))


def test_threads_change_nothing():
    start = networks(COSINES, runs=5, width=100, dtype=torch.float32)
    before, trained = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            trained.append(
                minimise(COSINES, start, Schedule([Stage(1, 50)]), 25, "monte_carlo", 0.01)
            )
    finally:
        torch.set_num_threads(before)
    first, *others = trained
    for other in others:
        np.testing.assert_array_equal(first.history.to_numpy(), other.history.to_numpy())
        assert torch.equal(first.networks.inner, other.networks.inner)


def test_a_run_that_diverges_is_frozen_and_harms_no_other():
    start = networks(COSINES, runs=3, dtype=torch.float32)
    rates = [0.01, 1e12, 0.01]
    schedule = Schedule([Stage(0.5, 20), Stage(1, 20)])
    trained = minimise(COSINES, start, schedule, 16, "monte_carlo", rates, log_every=1)
    assert list(trained.diverged) == [1]
    step = trained.diverged[1]
    assert 0 < step < 20
    runs = trained.history.set_index(["run", "step"])
    measured = ["loss", "energy", "l2_error", "h1_error"]
    assert np.isfinite(runs.loc[1].loc[: step - 1, measured]).all(axis=None)
    assert np.isinf(runs.loc[1].loc[step:, measured]).all(axis=None)
    until = minimise(
        *(COSINES, TwoLayer(start.inner[[1]], start.outer[[1]]), Schedule([Stage(0.5, step)])),
        *(16, "monte_carlo", 1e12),
        seeds=[1],
    )
    # Its last weights may be infinite or NaN.
    last, expected = weights_of(trained.networks, 1), weights_of(until.networks)
    torch.testing.assert_close(last, expected, rtol=0, atol=0, equal_nan=True)
    finite = TwoLayer(start.inner[[0, 2]], start.outer[[0, 2]])
    alone = minimise(COSINES, finite, schedule, 16, "monte_carlo", 0.01, seeds=[0, 2], log_every=1)
    expected = alone.history.drop(columns="run").to_numpy()
    others = trained.history[trained.history["run"] != 1].drop(columns="run")
    np.testing.assert_array_equal(others.to_numpy(), expected)


def test_training_solves_the_problem_and_leaves_the_start_alone():
    start = networks(COSINES, width=200)
    kept = start.inner.clone()
    schedule = Schedule.constant_length([1, 1.5], 500)
    trained = minimise(COSINES, start, schedule, 400, learning_rate=0.01, decay=0.1)
    first, last = trained.history.iloc[0], trained.history.iloc[-1]
    assert first["l2_error"] > 0.5
    assert last["l2_error"] < 0.05
    assert last["h1_error"] < 0.1
    assert COSINES.minimum < last["energy"] < 0.98 * COSINES.minimum
    assert torch.equal(start.inner, kept)
    assert trained.diverged == {}


def test_the_measures_of_the_engines_are_the_same():
    """Also those of a run that diverges, and of runs with a common stage and points."""
    schedules = [Schedule([Stage(1, 4), Stage(s, 4)]) for s in (1.0, 1.5, 1.5, 1.5)]
    start = networks(CUBE, runs=4, width=21)
    given = (CUBE, start, schedules, 8, "monte_carlo", [0.01, 0.01, 0.02, 1e150])
    expected, found = (
        minimise(*given, seeds=[3, 3, 4, 4], log_every=3, engine=engine)
        for engine in ("numba", "torch")
    )
    assert list(found.diverged) == [3]
    assert found.diverged == expected.diverged
    for name in ("loss", "exact_loss", "energy", "l2_error", "h1_error"):
        np.testing.assert_allclose(found.history[name], expected.history[name], rtol=1e-9)


def test_other_precisions_are_for_torch(caplog):
    start = networks(COSINES, dtype=torch.bfloat16)
    trained = minimise(COSINES, start, Schedule([Stage(1, 3)]), 16)
    assert trained.engine == "torch"
    assert np.isfinite(trained.history["loss"]).all()
    assert "dtype must be float32 or float64; it is torch.bfloat16" in caplog.text


def test_seeds_are_those_of_the_points():
    start = networks(COSINES, runs=2)
    losses = {}
    for seeds in (None, (0, 1), (1, 0)):
        trained = minimise(COSINES, start, Schedule([Stage(1, 3)]), 16, "monte_carlo", seeds=seeds)
        losses[seeds] = trained.history["loss"].to_numpy()
    np.testing.assert_array_equal(losses[None], losses[0, 1])
    assert (losses[None] != losses[1, 0]).all()


def test_progress_goes_from_the_first_step_to_the_last():
    told = []
    minimise(
        *(COSINES, networks(COSINES), Schedule.constant_length([1, 1.5], 30), 16),
        progress=lambda step, steps: told.append((step, steps)),
    )
    assert told[0] == (0, 60)
    assert told[-1] == (60, 60)
    assert told == sorted(told)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": 17}, r"grid: points must be k\^2 for an integer k >= 1; it is 17"),
        ({"points": 0}, "points must be a positive integer; it is 0"),
        ({"points": 2.5}, "points must be a positive integer; it is 2.5"),
        ({"quadrature": "simpson"}, "quadrature must be one of grid, monte_carlo; it is 'simpson'"),
        ({"seeds": [1, 2]}, "seeds must not be given for a grid"),
        ({"quadrature": "monte_carlo", "seeds": [1]}, "seeds must be 2 non-negative integers"),
        ({"quadrature": "monte_carlo", "seeds": [1, -1]}, "seeds must be 2 non-negative integers"),
        ({"quadrature": "monte_carlo", "seeds": [1.5, 2]}, "seeds must be 2 non-negative integers"),
        ({"learning_rate": 0}, "learning_rate must be a positive number; it is 0"),
        ({"learning_rate": [1, 2, 3]}, "learning_rate must be a number or 2 numbers"),
        ({"decay": 2}, r"decay must be in \(0, 1\]; it is 2"),
        ({"log_every": 0}, "log_every must be a positive integer; it is 0"),
        (
            {"schedule": [Schedule([Stage(1, 3)])]},
            "must be one or 2, one for each of the networks; there are 1",
        ),
        ({"problem": CUBE}, "networks must have 3 inputs, as problem cosines3d; they have 2"),
        (
            {"start": networks(COSINES, runs=2, dtype=torch.bfloat16), "engine": "numba"},
            "engine numba: dtype must be float32 or float64; it is torch.bfloat16",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(change, message):
    given = {"problem": COSINES, "start": networks(COSINES, runs=2), "points": 16}
    given |= {"schedule": Schedule([Stage(1, 3)])}
    with pytest.raises(ValueError, match=message):
        minimise(**(given | change))
