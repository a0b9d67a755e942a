"""Heavy ball against Nesterov: the linear theory, the table, and what it is reduced to."""

import numpy as np
import pandas as pd
import pytest
import torch
from job_examples import stored

from hrta import ntk
from hrta.networks.two_layer import TwoLayer
from hrta.ntk.momentum import (
    OPTIMIZERS,
    linear_exponents,
    momentum_from_kernel,
    predict_losses_with_momentum,
)
from hrta.problems.problem import Problem
from hrta.problems.targets import make_problem
from hrta.study.analysis import acceleration as acceleration_statistics
from hrta.study.config.acceleration import AccelerationSpec
from hrta.study.config.mistakes import ConfigError, checked
from hrta.study.experiments import acceleration

# Eight corners of a cube: lambda_max / lambda_min is 51.
PROBLEM = Problem("corners", make_problem("sine3d", 8, 1).x, np.linspace(-1, 1, 8))


OPTIONS = {
    "experiment": "mine",
    "problem": stored(PROBLEM),
    "widths": [30, 50],
    "seeds": 3,
    "steps": 33,
    "step_fraction": 0.7,
    "log_every": 10,
}


def two_term(optimizer, beta, h):
    """The matrix that takes (r_t, r_{t-1}) to (r_{t+1}, r_t) in a mode with eta lambda = h."""
    if optimizer == "gradient_descent":
        return np.array([[1 - h, 0], [1, 0]])
    if optimizer == "heavy_ball":
        return np.array([[1 + beta - h, -beta], [1, 0]])
    return np.array([[(1 + beta) * (1 - h), -beta * (1 - h)], [1, 0]])


def test_momentum_is_the_kernels():
    assert momentum_from_kernel(0.5, 2 / 9) == pytest.approx(0.5)
    assert momentum_from_kernel(0.5, 2) == 0
    for smallest, rate in ((0, 1), (1, 0), (-1, -1), (1, 1.01), (np.nan, 1)):
        with pytest.raises(
            ValueError, match=r"smallest must be positive and smallest x learning_rate in \(0, 1\]"
        ):
            momentum_from_kernel(smallest, rate)


@pytest.mark.parametrize("q", [0.02, 0.2, 0.7])
def test_exponents_are_those_of_the_slowest_mode(q):
    beta, modes = momentum_from_kernel(q, q), np.linspace(q**2, 1, 50)
    for optimizer, exponent in linear_exponents(q).items():
        matrices = np.array([two_term(optimizer, beta, h) for h in modes])
        moduli = np.abs(np.linalg.eigvals(matrices)).max(axis=1)
        # Nesterov's slowest mode has a double root: it is known to the root of the rounding.
        assert moduli.max() == pytest.approx(np.exp(-exponent * q / 2), rel=1e-7)
        if optimizer == "heavy_ball":
            np.testing.assert_allclose(moduli, beta**0.5, rtol=1e-7)
        if optimizer == "nesterov":
            np.testing.assert_allclose(moduli, (beta * (1 - modes)) ** 0.5, rtol=1e-6, atol=1e-7)


def test_exponents_to_first_order():
    slow, heavy_ball, nesterov = linear_exponents(1e-3).values()
    assert (slow, heavy_ball, nesterov) == pytest.approx((2e-3, 2, 2.001), rel=1e-6)
    for q in (0, 1, np.nan):
        with pytest.raises(ValueError, match=r"q must be in \(0, 1\); it is "):
            linear_exponents(q)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_prediction_is_a_plain_iteration_of_a_linear_model(optimizer):
    """In the weights' space, with the updates as arXiv 2208.03941 has them."""
    generator = np.random.default_rng(0)
    features, y = generator.normal(size=(6, 9)), generator.normal(size=6)
    eta, beta = 0.15, 0.8 if optimizer != "gradient_descent" else 0.0
    start = weights = before = lead = generator.normal(size=9)
    losses = []
    for _ in range(41):
        residual = features @ weights - y
        losses.append((residual**2).mean() / 2)
        descended = weights - eta * features.T @ residual / 6
        if optimizer == "nesterov":
            weights, lead = descended + beta * (descended - lead), descended
        else:
            weights, before = descended + beta * (weights - before), weights
    predicted = predict_losses_with_momentum(
        features @ features.T, [features @ start - y, 2 * y], optimizer, eta, 0.8, [0, 1, 7, 40]
    )
    np.testing.assert_allclose(predicted[0], np.array(losses)[[0, 1, 7, 40]], rtol=1e-10)
    assert predicted[1, 0] == pytest.approx(2 * (y**2).mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("optimizer", "residuals", "steps", "message"),
    [
        (
            "adam",
            np.ones((1, 2)),
            [0],
            "optimizer must be one of gradient_descent, .*; it is 'adam'",
        ),
        ("nesterov", np.ones(2), [0], r"residuals \[R, n\]; they are \[2, 2\] and \[2\]"),
        ("nesterov", np.ones((1, 3)), [0], r"are \[2, 2\] and \[1, 3\]"),
        ("nesterov", np.ones((1, 2)), [2, 1], "steps must be ascending integers of at least 0"),
        ("nesterov", np.ones((1, 2)), [], "steps must be ascending integers of at least 0"),
        ("nesterov", np.ones((1, 2)), [-1, 1], "steps must be ascending integers of at least 0"),
    ],
)
def test_what_cannot_be_predicted_is_refused(optimizer, residuals, steps, message):
    with pytest.raises(ValueError, match=message):
        predict_losses_with_momentum(np.eye(2), residuals, optimizer, 1, 0.5, steps)


def plain_loop(network, steps, **options):
    """Loss and largest travel before each step of torch's optimizer on the inner weights."""
    x, y = torch.tensor(np.column_stack([PROBLEM.x, np.ones(8)])), torch.tensor(PROBLEM.y)
    start, signs = network.inner[0], network.outer[0]
    assert set(signs.tolist()) == {-1, 1}
    weights = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([weights], **options)
    losses, travel = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        outputs = torch.relu(x @ weights) @ signs / len(signs) ** 0.5
        loss = ((outputs - y) ** 2).mean() / 2
        losses.append(loss.item())
        travel.append((weights - start).norm(dim=0).max().item())
        loss.backward()
        optimizer.step()
    return losses, travel


def test_table_holds_what_a_plain_loop_does(monkeypatch):
    monkeypatch.setattr(acceleration, "OBSERVATIONS", 2)
    seen = []
    outcome = acceleration.run(
        AccelerationSpec(**OPTIONS), lambda done, total: seen.append((done, total))
    )
    assert outcome.dtype == "float64"
    table = outcome.table
    assert seen == [(1, 3), (2, 3), (3, 3)]
    eigenvalues = np.linalg.eigvalsh(ntk.gram(PROBLEM.x, 1.0, "inner")) / 8
    eta = 0.7 / eigenvalues[-1]
    q = (eta * eigenvalues[0]) ** 0.5
    network = TwoLayer.initialise([2], 3, 50, torch.float64, signs=True)
    for optimizer in OPTIMIZERS:
        run = table.query(f"optimizer == '{optimizer}' and width == 50 and seed == 2")
        momentum = 0.0 if optimizer == "gradient_descent" else (1 - q) / (1 + q)
        options = {"lr": eta, "momentum": momentum, "nesterov": optimizer == "nesterov"}
        losses, travel = plain_loop(network, 34, **options)
        assert run["step"].tolist() == [0, 10, 20, 30, 33]
        np.testing.assert_allclose(run["loss"], np.array(losses)[run["step"]], rtol=1e-9)
        assert run["travel"].isna().tolist() == [True, False, True, True, False]
        measured = run["travel"].dropna()
        np.testing.assert_allclose(measured, [travel[10], travel[33]], rtol=1e-9)
        assert run["predicted"].iloc[0] == pytest.approx(losses[0], rel=1e-12)
        matrix = ntk.empirical_gram(PROBLEM.x, network.inner[0], network.outer[0], 1, "inner")
        smallest = np.linalg.eigvalsh(matrix)[0] / 8
        np.testing.assert_allclose(run["smallest_start"], smallest, rtol=1e-9)
    kernel = table[["smallest", "largest", "learning_rate", "momentum"]].drop_duplicates()
    expected = [eigenvalues[0], eigenvalues[-1], eta, (1 - q) / (1 + q)]
    np.testing.assert_allclose(kernel, [expected], rtol=1e-10)
    infinite = table[table["width"].isna()]
    assert len(infinite) == len(table) / 3
    assert (infinite["loss"] == infinite["predicted"]).all()
    assert infinite["travel"].isna().all()


def test_wide_networks_come_near_the_prediction():
    """The kernel deviates and moves as m^(-1/2): a hundredfold width leaves a tenth of the gap."""
    changes = {"widths": [300, 30_000], "seeds": 8, "steps": 60, "log_every": 5}
    spec = AccelerationSpec(**OPTIONS | changes | {"step_fraction": 0.5})
    table = acceleration.run(spec).table
    table = table.dropna(subset="width").query("optimizer != 'gradient_descent'")
    runs = table.groupby(["width", "optimizer", "seed"])
    # Relative to where the run starts: heavy ball's loss swings, to near zero in between.
    gaps = (table["loss"] - table["predicted"]).abs() / runs["loss"].transform("first")
    narrow, wide = gaps.groupby([table["width"], table["seed"]]).max().groupby("width").median()
    # Ten, within what medians over eight networks scatter, each with a residual of its own.
    assert 3 < narrow / wide < 30
    travel = table[table["step"] == 60].groupby("width")["travel"].median()
    assert travel[300] / travel[30_000] == pytest.approx(10, rel=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step_fraction": 0}, "step_fraction: 0 given; must be greater than 0"),
        ({"step_fraction": 1.1}, "step_fraction: 1.1 given; must be less than or equal to 1"),
        ({"log_every": 0}, "log_every: 0 given; must be greater than or equal to 1"),
        ({"steps": 0}, "steps: 0 given; must be greater than or equal to 1"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        checked(AccelerationSpec, OPTIONS | options, "spec")


@pytest.mark.filterwarnings("ignore:tangent kernel")
def test_a_singular_kernel_has_no_momentum():
    twice = Problem("twice", [[0.0], [0.0], [1.0]], [0, 0, 1])
    with pytest.raises(ValueError, match=r"smallest must be positive"):
        acceleration.run(AccelerationSpec(**OPTIONS | {"problem": stored(twice)}))


def curves(losses, widths=(10,), optimizer="nesterov", every=1, **columns):
    """A table of one experiment: a curve for each seed, the same at each width; q is 0.1."""
    tables = [
        pd.DataFrame({"step": every * np.arange(len(loss)), "loss": loss}).assign(
            seed=seed, width=width, optimizer=optimizer
        )
        for width in widths
        for seed, loss in enumerate(losses)
    ]
    table = pd.concat(tables, ignore_index=True).astype({"width": "Int64"})
    fixed = {"experiment": "mine", "smallest": 0.02, "learning_rate": 0.5}
    fixed |= {"smallest_start": 0.01, "predicted": table["loss"]}
    return table.assign(**(fixed | columns))


def test_exponents_are_fitted_between_the_levels():
    steps = np.arange(400)
    # A decade at once, then what is to be found, then a floor.
    losses = [
        3 * np.where(steps < 5, 1, np.maximum(0.1 * np.exp(-0.1 * gamma * (steps - 5)), 1e-11))
        for gamma in (1.5, 2.5, 2.0)
    ]
    table = curves(losses, predicted=np.tile(np.exp(-0.07 * steps), 3), widths=[10])
    row = acceleration_statistics.decay_exponents(table).iloc[0]
    assert (row["exponent"], row["low"], row["high"]) == pytest.approx((2, 1.5, 2.5), rel=1e-3)
    assert row["predicted"] == pytest.approx(0.7, rel=1e-9)
    assert row["in_the_end"] == linear_exponents(0.1)["nesterov"]
    assert row["reached"] == pytest.approx(1e-11, rel=1e-9)
    assert row["claimed"] == pytest.approx(0.586, abs=1e-3)
    assert (row["smallest"], row["seeds"]) == (0.5, 3)


def test_exponents_are_missing_where_a_run_has_none():
    steps = np.arange(100.0)
    falling, slow = np.exp(-0.1 * steps), np.exp(-0.01 * steps)
    diverged = np.where(steps < 90, falling, np.inf)
    for other in (slow, diverged):
        table = acceleration_statistics.decay_exponents(curves([falling, other]))
        assert table[["exponent", "low", "high"]].isna().all(axis=None)
    of_descent = curves([falling], optimizer="gradient_descent")
    assert np.isnan(acceleration_statistics.decay_exponents(of_descent)["claimed"][0])


def test_infinite_width_has_a_row_of_its_own():
    falling = np.exp(-0.2 * np.arange(200.0))
    table = curves([falling], widths=[10, None])
    summary = acceleration_statistics.decay_exponents(table)
    assert summary["width"].isna().tolist() == [False, True]
    np.testing.assert_allclose(summary["exponent"], 2, rtol=1e-9)
    both = pd.concat([table, table.assign(optimizer="heavy_ball")])
    races = acceleration_statistics.steps_to_levels(both, levels=[1e-2])
    assert races["width"].isna().tolist() == [False, True]
    assert races["ratio"].tolist() == [1, 1]


def test_steps_to_levels_are_paired_by_seed():
    heavy_ball = curves([[8, 1, 0.1], [8, 8, 0.8], [8, 8, 8]], optimizer="heavy_ball", every=3)
    nesterov = curves([[9, 0.01, 1], [9, 9, 0.9], [9, 9, 0.9]], optimizer="nesterov", every=3)
    table = acceleration_statistics.steps_to_levels(pd.concat([heavy_ball, nesterov]), [0.1, 0.02])
    assert table["level"].tolist() == [0.1, 0.02]
    assert table["optimizer"].tolist() == ["nesterov"] * 2
    assert table["steps"].tolist() == [6, np.inf]
    assert table["baseline_steps"].tolist() == [6, np.inf]
    assert table["ratio"].tolist() == [0.5, 0.5]
    assert table["pairs"].tolist() == [3, 1]
    words = pd.concat([heavy_ball, nesterov]).astype(
        dict.fromkeys(["experiment", "optimizer"], "category")
    )
    pd.testing.assert_frame_equal(
        acceleration_statistics.steps_to_levels(words, [0.1, 0.02]), table
    )
    never = acceleration_statistics.steps_to_levels(pd.concat([heavy_ball, nesterov]), [1e-9])
    assert never["ratio"].isna().all()
    for without in (nesterov, pd.concat([heavy_ball.query("seed < 2"), nesterov])):
        with pytest.raises(ValueError, match="a run has no partner of the baseline 'heavy_ball'"):
            acceleration_statistics.steps_to_levels(without)


def test_travel_exponents_take_the_last_step():
    table = curves([[1, 1], [1, 1]], widths=[10, 100, 1000])
    width = table["width"].astype(float)
    table["travel"] = np.where(table["step"] == 1, 7 * width**-0.5, 1)
    fit = acceleration_statistics.travel_exponents(table).iloc[0]
    assert (fit["exponent"], fit["used"]) == (pytest.approx(-0.5), 6)
