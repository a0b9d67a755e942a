import numpy as np
import pytest
import torch
from torch import nn

from hrta import HomotopyActivation, Problem, Schedule, Stage, TwoLayer, homotopy, train
from hrta.networks.two_layer import with_bias
from hrta.problems.targets import make_problem
from hrta.training import DeepRitz
from hrta.training.minibatches import Minibatches
from hrta.training.objectives.two_layer_loss import Loss

METHODS = [[1, 1], [0.5, 1], [1, 1.5], [1.5, 1.5], [2, 2]]


@pytest.fixture(params=["torch", "numba"])
def engine(request):
    return request.param


def plain_loop(problem, inner, outer, schedule, optimizer, learning_rate, decay, reset):
    """HRTA of one network as anybody would write it: a module, autograd and torch.optim.

    Returns the losses after each step, the test losses, and the weights.
    """
    width = len(outer)
    first = nn.Linear(problem.inputs, width, dtype=torch.float64)
    last = nn.Linear(width, 1, bias=False, dtype=torch.float64)
    activation = HomotopyActivation()
    with torch.no_grad():
        first.weight.copy_(inner[:-1].T)
        first.bias.copy_(inner[-1])
        last.weight.copy_(outer)
    weights = [*first.parameters(), *last.parameters()]

    def fresh():
        return {
            "adam": lambda: torch.optim.Adam(weights, lr=learning_rate),
            "gradient_descent": lambda: torch.optim.SGD(weights, lr=learning_rate),
        }[optimizer]()

    def loss(x, y):
        predicted = last(activation(first(torch.tensor(x)))).squeeze(1) / width**0.5
        return ((predicted - torch.tensor(y)) ** 2).mean() / 2

    state, losses, test_losses, step = fresh(), [], [], 0
    for stage in schedule.stages:
        activation.s = stage.s
        if reset:
            state = fresh()
        for _ in range(stage.steps):
            for group in state.param_groups:
                group["lr"] = learning_rate * decay ** (step / schedule.steps)
            state.zero_grad()
            here = loss(problem.x, problem.y)
            losses.append(here.item())
            test_losses.append(loss(problem.x_test, problem.y_test).item())
            here.backward()
            state.step()
            step += 1
    losses.append(loss(problem.x, problem.y).item())
    test_losses.append(loss(problem.x_test, problem.y_test).item())
    inner = torch.cat([first.weight.T, first.bias[None]]).detach()
    return losses, test_losses, inner, last.weight[0].detach()


@pytest.mark.parametrize("optimizer", ["adam", "gradient_descent"])
@pytest.mark.parametrize("reset", [False, True])
def test_a_staged_ensemble_is_the_plain_loop_step_by_step(small_problem, optimizer, reset, engine):
    """Five methods of unequal stages and learning rates in one ensemble, against one at a time."""
    schedules = [
        Schedule([Stage(s[0], 10 + run), Stage(s[1], 20 - run)]) for run, s in enumerate(METHODS)
    ]
    rates = [0.01, 0.02, 0.03, 0.04, 0.05]
    networks = TwoLayer.initialise(range(5), 2, 11, dtype=torch.float64)
    trained = train(
        small_problem,
        networks,
        schedules,
        optimizer,
        rates,
        decay=0.2,
        reset_optimizer=reset,
        engine=engine,
    )
    for run in range(5):
        losses, test_losses, inner, outer = plain_loop(
            small_problem,
            networks.inner[run],
            networks.outer[run],
            schedules[run],
            optimizer,
            rates[run],
            0.2,
            reset,
        )
        history = trained.history[trained.history["run"] == run]
        # 30 steps of an analytic map between kinks amplify rounding by a factor of about 100.
        np.testing.assert_allclose(history["loss"], losses, rtol=1e-11)
        np.testing.assert_allclose(history["test_loss"], test_losses, rtol=1e-11)
        torch.testing.assert_close(trained.networks.inner[run], inner, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(trained.networks.outer[run], outer, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.5, 0.9])
@pytest.mark.parametrize("optimizer", ["heavy_ball", "nesterov"])
def test_momentum_reaches_the_optimizer(small_problem, small_networks, optimizer, momentum, engine):
    schedule = Schedule([Stage(1, 20)])
    trained = train(
        small_problem, small_networks, schedule, optimizer, 0.05, momentum, engine=engine
    )
    x = torch.cat([torch.tensor(small_problem.x), torch.ones(7, 1, dtype=torch.float64)], 1)
    inner = small_networks.inner.clone().requires_grad_()
    outer = small_networks.outer.clone().requires_grad_()
    nesterov = optimizer == "nesterov"
    state = torch.optim.SGD([inner, outer], 0.05, momentum, nesterov=nesterov)
    for _ in range(20):
        state.zero_grad()
        predicted = (torch.relu(x @ inner) @ outer[:, :, None]).squeeze(-1) / 11**0.5
        (((predicted - torch.tensor(small_problem.y)) ** 2).mean(-1) / 2).sum().backward()
        state.step()
    torch.testing.assert_close(trained.networks.inner, inner.detach(), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(trained.networks.outer, outer.detach(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("fixed_outer", [False, True])
@pytest.mark.parametrize("batch_size", [None, 1, 3, 7])
def test_minibatches_and_fixed_outer_weights_are_a_plain_loops(
    small_problem, batch_size, fixed_outer, engine
):
    networks = TwoLayer.initialise(range(3), 2, 11, dtype=torch.float64, signs=fixed_outer)
    seeds = [4, 9, 4]
    trained = train(
        small_problem,
        networks,
        Schedule.constant_length([1.2, 0.7], 10),
        learning_rate=0.02,
        fixed_outer=fixed_outer,
        batch_size=batch_size,
        batch_seeds=None if batch_size is None else seeds,
        engine=engine,
    )
    x, y = with_bias(small_problem.x, networks.inner), torch.tensor(small_problem.y)
    batches = Minibatches(np.array(seeds), 7, batch_size or 7)
    for run in range(3):
        weights = [w[run].clone().requires_grad_() for w in (networks.inner, networks.outer)]
        state = torch.optim.Adam(weights[: 1 if fixed_outer else 2], lr=0.02)
        for step in range(20):
            batch = batches.of_run(run, step, step + 1)[0]
            chosen = homotopy(x[batch] @ weights[0], 1.2 if step < 10 else 0.7) @ weights[1]
            state.zero_grad()
            (((chosen / 11**0.5 - y[batch]) ** 2).mean() / 2).backward()
            state.step()
        for name, expected in zip(("inner", "outer"), weights, strict=True):
            ours = getattr(trained.networks, name)[run]
            torch.testing.assert_close(ours, expected.detach(), rtol=1e-9, atol=1e-11)
    losses = trained.history.query("step == 20")["loss"]
    residual = trained.networks.predict(small_problem.x, 0.7) - y
    np.testing.assert_allclose(losses, (residual**2).mean(dim=1) / 2, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("optimizer", ["adam", "gradient_descent", "heavy_ball", "nesterov"])
@pytest.mark.parametrize("width", [7, 50, 64, 333])
@pytest.mark.parametrize("name", ["sine1d", "sine3d"])
def test_a_run_is_the_same_alone_and_in_an_ensemble(name, width, optimizer, dtype, engine):
    problem = make_problem(name, points=27, test_points=10)
    schedules = [Schedule.constant_length(s, 15) for s in METHODS] * 3
    networks = TwoLayer.initialise(range(15), problem.inputs, width, dtype=dtype)
    rates = np.linspace(0.001, 0.02, 15)
    together = train(problem, networks, schedules, optimizer, rates, engine=engine)
    for run in (0, 7, 14):
        one = TwoLayer(networks.inner[run : run + 1], networks.outer[run : run + 1])
        alone = train(problem, one, schedules[run], optimizer, rates[run], engine=engine)
        history = together.history[together.history["run"] == run].reset_index(drop=True)
        assert history.drop(columns="run").equals(alone.history.drop(columns="run"))
        assert torch.equal(alone.networks.inner[0], together.networks.inner[run])
        assert torch.equal(alone.networks.outer[0], together.networks.outer[run])


def test_the_torch_engine_uses_one_thread_and_gives_the_others_back(
    small_problem, small_networks, monkeypatch
):
    """Products of matrices may be summed in another order on two threads."""
    before, seen = torch.get_num_threads(), set()
    value_and_gradient = Loss.value_and_gradient

    def spy(*arguments):
        seen.add(torch.get_num_threads())
        return value_and_gradient(*arguments)

    monkeypatch.setattr(Loss, "value_and_gradient", spy)
    try:
        torch.set_num_threads(2)
        train(small_problem, small_networks, Schedule([Stage(1, 2)]), engine="torch")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == {1}


def test_history_is_tidy_and_logs_the_jump(small_problem, small_networks, engine):
    schedule = Schedule([Stage(0.5, 7), Stage(1.5, 5)])
    every = train(small_problem, small_networks, schedule, engine=engine).history
    assert list(every.columns) == ["run", "step", "stage", "s", "loss", "test_loss"]
    run = every[every["run"] == 2]
    assert run["step"].tolist() == list(range(13))
    assert run["stage"].tolist() == [1] * 7 + [2] * 6
    assert run["s"].tolist() == [0.5] * 7 + [1.5] * 6
    # At the switch the loss is that of the new activation at the old weights.
    half = train(small_problem, small_networks, Schedule([Stage(0.5, 7)]), log_every=7)
    residual = half.networks.predict(small_problem.x, 1.5) - torch.tensor(small_problem.y)
    jumped = every.loc[every["step"] == 7, "loss"]
    np.testing.assert_allclose(jumped, (residual**2).mean(1) / 2, rtol=1e-12)
    some = train(small_problem, small_networks, schedule, log_every=5, engine=engine).history
    kept = every[every["step"].isin([0, 5, 10, 12])].reset_index(drop=True)
    assert some.equals(kept)


def test_without_a_test_set_there_is_no_test_loss(small_problem, small_networks):
    problem = Problem("mine", small_problem.x, small_problem.y)
    history = train(problem, small_networks, Schedule([Stage(1, 2)])).history
    assert list(history.columns) == ["run", "step", "stage", "s", "loss"]


def test_networks_given_are_left_untouched(small_problem, small_networks):
    inner, outer = small_networks.inner.clone(), small_networks.outer.clone()
    trained = train(small_problem, small_networks, Schedule([Stage(1, 3)]))
    assert torch.equal(small_networks.inner, inner)
    assert torch.equal(small_networks.outer, outer)
    assert not torch.equal(trained.networks.inner, inner)
    assert trained.networks.inner.dtype == torch.float64


@pytest.mark.parametrize("optimizer", ["gradient_descent", "heavy_ball", "adam"])
def test_a_diverged_run_is_frozen_and_the_others_go_on(
    small_problem, small_networks, optimizer, engine
):
    schedule = Schedule([Stage(1, 30), Stage(1.5, 30)])
    rates = [0.01, 1e200, 0.01, 0.01, 1e150]
    trained = train(small_problem, small_networks, schedule, optimizer, rates, engine=engine)
    assert set(trained.diverged) == {1, 4}
    losses = trained.history.pivot(index="step", columns="run", values="loss")
    for run, step in trained.diverged.items():
        assert np.isfinite(losses.loc[: step - 1, run]).all()
        assert not np.isfinite(losses.loc[step:, run]).any()
        earlier = Schedule([Stage(1, step)])
        until = train(small_problem, small_networks, earlier, optimizer, rates, engine=engine)
        assert torch.equal(until.networks.inner[run], trained.networks.inner[run])
    healthy = train(small_problem, small_networks, schedule, optimizer, 0.01, engine=engine)
    for run in (0, 2, 3):
        expected = healthy.history[healthy.history["run"] == run]
        assert trained.history[trained.history["run"] == run].equals(expected)


def test_a_diverged_run_stays_at_infinity_even_where_its_weights_fit_again(engine):
    """The frozen weights may give a finite loss under the next s, or on the test points."""
    x = np.linspace(0, 1, 10)[:, None]
    y = np.sin(6 * x[:, 0])
    problem = Problem("mine", x, y, x[3:5], y[3:5])
    networks = TwoLayer.initialise([1] * 20, 1, 4)
    schedule = Schedule([Stage(0.5, 40), Stage(1, 40)])
    rates = np.geomspace(1, 1e4, 20)
    trained = train(problem, networks, schedule, "gradient_descent", rates, engine=engine)
    frozen = trained.networks.predict(x, 1.0)[list(trained.diverged)]
    assert frozen.isfinite().all(dim=1).any()
    for run, step in trained.diverged.items():
        rows = trained.history[(trained.history["run"] == run) & (trained.history["step"] >= step)]
        assert np.isinf(rows["loss"]).all()
        assert np.isinf(rows["test_loss"]).all()


def test_progress_is_told_from_time_to_time(small_problem, small_networks):
    seen = []
    schedule = Schedule([Stage(1, 59), Stage(1.5, 41)])
    train(
        small_problem,
        small_networks,
        schedule,
        progress=lambda step, steps: seen.append((step, steps)),
    )
    assert seen == [(step, 100) for step in sorted([*range(0, 101, 5), 59])]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"schedule": [Schedule([Stage(1, 2)])] * 4},
            "must be one or 5, one for each of the networks; there are 4",
        ),
        (
            {"schedule": [Schedule([Stage(1, 2)])] * 4 + [Schedule([Stage(1, 3)])]},
            r"must have the same number of steps; they have \[2, 3\]",
        ),
        ({"optimizer": "sgd"}, "optimizer must be one of .*; it is 'sgd'"),
        ({"learning_rate": -1}, "learning_rate must be a positive number; it is -1"),
        ({"learning_rate": float("nan")}, "positive number"),
        ({"learning_rate": [0.1, 0.2]}, "must be a number or 5 numbers, one for each run"),
        ({"momentum": 1.5}, r"momentum must be in \[0, 1\); it is 1.5"),
        ({"log_every": 0}, "log_every must be a positive integer; it is 0"),
        ({"log_every": 2.5}, "log_every must be a positive integer; it is 2.5"),
        ({"log_every": float("nan")}, "log_every must be a positive integer; it is nan"),
        ({"schedule": [Stage(1, 2)] * 5}, r"must be an hrta.Schedule"),
        ({"decay": 0}, r"decay must be in \(0, 1\]; it is 0"),
        ({"engine": "fast"}, "engine: must be one of auto, .*; it is 'fast'"),
        ({"plateau": 3}, "plateau must be an hrta.Plateau; it is 3"),
        ({"batch_seeds": range(5)}, "batch_size must be given with batch_seeds"),
        ({"batch_size": 3, "batch_seeds": [0.5] * 5}, "must be 5 non-negative integers"),
        ({"batch_size": 8}, r"batch_size must be an integer in \[1, 7\], the number of points"),
        ({"observe_at": [1]}, "observe must be given with observe_at"),
        ({"observe": print, "observe_at": [3]}, r"observe_at must be steps in \[0, 2\]; one is 3"),
        (
            {"problem": Problem("mine", [[1.0]], [1.0])},
            "networks must have 1 inputs, as problem mine; they have 2",
        ),
        ({"networks": nn.Linear(2, 1)}, "networks must be a Sequence; it is a Linear"),
        ({"problem": "sine1d"}, "two-layer regression: problem must be a Problem; it is a str"),
        (
            {"objective": DeepRitz()},
            "Deep Ritz: problem must be a PoissonProblem; it is a Problem",
        ),
    ],
)
def test_what_does_not_fit_is_refused(small_problem, small_networks, change, message):
    arguments = {
        "problem": small_problem,
        "networks": small_networks,
        "schedule": Schedule([Stage(1, 2)]),
    }
    with pytest.raises(ValueError, match=message):
        train(**(arguments | change))


@pytest.mark.gpu
@pytest.mark.parametrize("optimizer", ["adam", "gradient_descent"])
def test_a_gpu_agrees_with_the_cpu(small_problem, small_networks, optimizer):
    schedule = Schedule.constant_length([1, 1.5], 20)
    on_gpu = TwoLayer(small_networks.inner.cuda(), small_networks.outer.cuda())
    expected = train(small_problem, small_networks, schedule, optimizer, 0.01).history
    history = train(small_problem, on_gpu, schedule, optimizer, 0.01).history
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-10)
