"""Adaptive activations against the formulas and one plain network in torch."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from adaptive_examples import PROBLEM, bent, networks, two_layer

from hrta import Plateau, Problem, Schedule, Stage, TwoLayer
from hrta.networks.adaptive import ACTIVATIONS, ADAPTIVE, AdaptiveNetworks
from hrta.networks.two_layer import with_bias
from hrta.problems.targets import make_problem
from hrta.training import AdaptiveSlopes, train
from hrta.training.objectives import adaptive_loss
from hrta.training.optimizers import OPTIMIZERS

KINDS = list(product(ACTIVATIONS, ADAPTIVE))


@pytest.fixture(params=["torch", "numba"])
def engine(request):
    return request.param


def train_slopes(
    problem, start, steps, learning_rate=2e-4, *, recovery=0.0, log_every=100, **options
):
    """History and networks after so many steps."""
    training = train(
        problem,
        start,
        Schedule([Stage(1.0, steps)]),
        learning_rate=learning_rate,
        log_every=log_every,
        objective=AdaptiveSlopes(recovery),
        **options,
    )
    return training.history, training.networks


def written_out(problem, start, recovery):
    """Loss, and networks whose tensors are the gradient as it is written out."""
    like = start.weights[0]
    points = with_bias(problem.x, like), torch.tensor(problem.y).to(like)
    loss = adaptive_loss.Loss(*points, start, recovery)
    parameters = loss.layout.pack(start)
    gradient = torch.zeros_like(parameters)
    losses = loss.value_and_gradient(parameters, None, gradient)
    torch.testing.assert_close(loss.value(parameters), losses, rtol=0, atol=0)
    return losses, loss.layout.unpack(gradient, start)


@pytest.mark.parametrize("recovery", [0, 0.7])
@pytest.mark.parametrize(("activation", "adaptive"), KINDS)
@pytest.mark.parametrize("deep", [False, True])
def test_the_gradient_is_that_of_differentiation(activation, adaptive, deep, recovery, monkeypatch):
    monkeypatch.setattr(adaptive_loss, "BLOCK_ELEMENTS", 700)  # blocks of several runs, and less
    if deep:
        start = bent(networks(adaptive, range(5), activation=activation))
    else:
        start = bent(two_layer(activation, adaptive)[1])
    x, y = torch.tensor(PROBLEM.x), torch.tensor(PROBLEM.y)
    losses = ((start.predict(x) - y) ** 2).mean(dim=1)
    (losses + recovery * start.slope_recovery()).sum().backward()
    if adaptive == "none":
        recovery = 0
    found, gradient = written_out(PROBLEM, start, recovery)
    torch.testing.assert_close(found, losses.detach(), rtol=1e-12, atol=0)
    pairs = [(gradient.weights, start.weights), (gradient.biases, start.biases)]
    if adaptive != "none":
        pairs.append((gradient.slopes, start.slopes))
    for ours, theirs in pairs:
        for mine, tensor in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, tensor.grad, rtol=1e-11, atol=1e-13)


def trainable(start):
    """A copy for torch to train: the slopes, too, if they are adaptive."""
    adaptive = start.adaptive != "none"
    copies = {
        name: [tensor.clone().requires_grad_(trained) for tensor in getattr(start, name)]
        for name, trained in (("weights", True), ("biases", True), ("slopes", adaptive))
    }
    return replace(start, **copies)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("adaptive", ADAPTIVE)
def test_every_step_is_torchs(adaptive, deep, engine):
    """Adam with each run's own learning rate, and decay, from gradients by differentiation."""
    rates, decay, steps, recovery = [0.01, 0.003], 0.1, 12, 0.5
    start = networks(adaptive) if deep else two_layer("relu", adaptive, runs=2)[1]
    ours = []
    train_slopes(
        *(PROBLEM, start, steps, rates),
        decay=decay,
        recovery=recovery,
        engine=engine,
        observe=lambda step, nets: ours.append(nets),
        observe_at=range(steps + 1),
    )
    x, y = torch.tensor(PROBLEM.x), torch.tensor(PROBLEM.y)
    for run, rate in enumerate(rates):
        theirs = trainable(start)
        tensors = [*theirs.weights, *theirs.biases, *theirs.slopes]
        adam = torch.optim.Adam([tensor for tensor in tensors if tensor.requires_grad], lr=rate)
        for step in range(steps + 1):
            values = theirs.predict(x)
            mine = ours[step].predict(x)[run]
            torch.testing.assert_close(mine, values[run].detach(), rtol=1e-9, atol=1e-11)
            adam.zero_grad()
            losses = ((values - y) ** 2).mean(dim=1) + recovery * theirs.slope_recovery()
            losses.sum().backward()
            adam.param_groups[0]["lr"] = rate * decay ** (step / steps)
            adam.step()


@pytest.mark.parametrize("adaptive", ADAPTIVE)
def test_training_is_adam_on_each_network_by_itself(adaptive, engine):
    start = networks(adaptive)
    options = {"learning_rate": 0.01, "recovery": 0.3, "log_every": 7, "engine": engine}
    history, trained = train_slopes(PROBLEM, start, 20, **options)
    assert history[history["run"] == 0]["step"].tolist() == [0, 7, 14, 20]
    alone, one = train_slopes(PROBLEM, networks(adaptive, seeds=(1,)), 20, **options)
    both = history[history["run"] == 1]["loss"].to_numpy()
    np.testing.assert_array_equal(both, alone["loss"])
    assert torch.equal(trained.slopes[0][1], one.slopes[0][0])
    assert torch.equal(trained.slopes[0], start.slopes[0]) == (adaptive == "none")
    torch.testing.assert_close(start.slopes[0], torch.full_like(start.slopes[0], 0.1))


@pytest.mark.parametrize(("activation", "adaptive"), KINDS)
@pytest.mark.parametrize(("points", "width"), [(30, 13), (7, 16), (100, 50)])
def test_a_run_is_the_same_bit_by_bit_whatever_stands_beside_it(
    activation, adaptive, points, width, engine
):
    problem = make_problem("jump1d", points, 9)
    start = TwoLayer.initialise(range(7), 1, width)
    options = {"log_every": 1, "recovery": 0.1, "decay": 0.5, "engine": engine}
    rates = [1e-3 * 2**run for run in range(7)]
    together, trained = train_slopes(
        problem, AdaptiveNetworks.of_two_layer(start, activation, adaptive), 30, rates, **options
    )
    for run in (0, 3, 6):
        one = TwoLayer(start.inner[run : run + 1], start.outer[run : run + 1])
        one = AdaptiveNetworks.of_two_layer(one, activation, adaptive)
        alone, after = train_slopes(problem, one, 30, rates[run], **options)
        here = together[together["run"] == run]
        for loss in ("loss", "test_loss"):
            np.testing.assert_array_equal(here[loss], alone[loss])
        assert torch.equal(trained.weights[0][run], after.weights[0][0])


def test_the_test_loss_is_that_of_the_test_points(engine):
    history, trained = train_slopes(PROBLEM, networks(), 5, log_every=2, engine=engine)
    values = trained.predict(torch.tensor(PROBLEM.x_test))
    expected = ((values - torch.tensor(PROBLEM.y_test)) ** 2).mean(dim=1)
    assert history[history["step"] == 5]["test_loss"].tolist() == pytest.approx(expected.tolist())
    without, _ = train_slopes(
        Problem("mine", PROBLEM.x, PROBLEM.y), networks(), 5, log_every=2, engine=engine
    )
    assert [*without] == ["run", "step", "stage", "s", "loss"]
    np.testing.assert_array_equal(without["loss"], history["loss"])


def test_a_run_that_diverges_is_frozen_and_harms_no_other(engine):
    _, start = two_layer("relu", "layer", dtype=torch.float32)
    options = {"log_every": 1, "recovery": 0.1, "engine": engine}
    well, _ = train_slopes(PROBLEM, start, 12, [0.01] * 5, **options)
    seen = []
    history, trained = train_slopes(
        *(PROBLEM, start, 12, [0.01, 0.01, 1e12, 0.01, 0.01]),
        **options,
        observe=lambda step, nets: seen.append(nets),
        observe_at=[11, 12],
    )
    losses = history.pivot(index="step", columns="run", values="loss")
    finite = np.isfinite(losses[2])
    assert finite[0]
    assert not finite[12]
    assert finite.is_monotonic_decreasing
    last = history[(history["run"] == 2) & (history["step"] == 12)]
    assert last["test_loss"].tolist() == [np.inf]
    assert torch.equal(seen[0].weights[0][2], trained.weights[0][2])
    expected = well.pivot(index="step", columns="run", values="loss")
    np.testing.assert_array_equal(losses.drop(columns=2), expected.drop(columns=2))


def test_slopes_stay_where_they_are_unless_they_are_trained(engine):
    start = networks("none")
    _, trained = train_slopes(PROBLEM, start, 5, engine=engine)
    assert torch.equal(trained.slopes[1], start.slopes[1])
    assert not torch.equal(trained.weights[1], start.weights[1])


def test_observations_are_of_the_networks_at_that_step():
    seen = {}
    x = torch.tensor(PROBLEM.x)
    train_slopes(
        *(PROBLEM, networks(), 9),
        observe=lambda step, nets: seen.update({step: nets.predict(x).clone()}),
        observe_at=[0, 4, 9],
    )
    assert sorted(seen) == [0, 4, 9]
    _, after = train_slopes(PROBLEM, networks(), 4)
    assert torch.equal(seen[4], after.predict(x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": -1}, "learning_rate must be a positive number; it is -1"),
        ({"learning_rate": [1, 2, 3]}, "must be a number or 2 numbers, one for each run"),
        ({"decay": 1.5}, r"decay must be in \(0, 1\]; it is 1.5"),
        ({"recovery": -1}, "recovery must be a non-negative number; it is -1"),
        ({"recovery": np.inf}, "recovery must be a non-negative number; it is inf"),
        ({"log_every": 0.5}, "log_every must be a positive integer; it is 0.5"),
        ({"fixed_outer": True}, "adaptive slopes does not accept fixed_outer"),
        ({"plateau": Plateau()}, "adaptive slopes does not accept plateau"),
        ({"batch_size": 3}, "adaptive slopes does not accept batch_size"),
        ({"engine": "triton"}, "engine: must be one of auto, torch, numba; it is 'triton'"),
    ],
)
def test_training_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        train_slopes(PROBLEM, networks(), **({"steps": 3} | change))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_engines_agree_with_any_optimizer(optimizer, activation):
    start = networks("neuron", activation=activation)
    options = {"optimizer": optimizer, "momentum": 0.8, "recovery": 0.2, "log_every": 3}
    expected, other = (
        train_slopes(PROBLEM, start, 30, 0.01, engine=engine, **options)
        for engine in ("torch", "numba")
    )
    for loss in ("loss", "test_loss"):
        np.testing.assert_allclose(other[0][loss], expected[0][loss], rtol=1e-9)
    for ours, theirs in zip(other[1].slopes, expected[1].slopes, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


def test_half_precision_is_for_the_torch_engine(caplog):
    start = networks(dtype=torch.bfloat16)
    schedule = Schedule([Stage(1.0, 2)])
    assert train(PROBLEM, start, schedule).engine == "torch"
    reason = "engine numba: dtype must be float32 or float64; it is torch.bfloat16"
    assert caplog.messages == [f"{reason}; engine torch is used instead"]
    with pytest.raises(ValueError, match=reason):
        train(PROBLEM, start, schedule, engine="numba")
    assert train(PROBLEM, networks(), schedule).engine == "numba"


@pytest.mark.parametrize("stages", [[Stage(0.5, 3)], [Stage(1, 3), Stage(1, 3)]])
def test_there_is_one_stage_and_no_homotopy(stages):
    with pytest.raises(ValueError, match="schedule must be one stage with s = 1"):
        train(PROBLEM, networks(), Schedule(stages))


def test_networks_and_problem_must_fit_together():
    with pytest.raises(
        ValueError, match="networks must have 2 inputs, as problem mine; they have 1"
    ):
        train_slopes(Problem("mine", np.ones((3, 2)), np.ones(3)), networks(), 3)


def test_any_problem_will_do():
    x = np.random.default_rng(0).uniform(size=(20, 3))
    start = AdaptiveNetworks.initialise([0], 3, [10])
    history, _ = train_slopes(Problem("mine", x, x.sum(axis=1)), start, 200, learning_rate=0.01)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] / 5
