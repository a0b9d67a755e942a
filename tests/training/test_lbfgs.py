import numpy as np
import pytest
import torch

from hrta import Problem, TwoLayer, homotopy
from hrta.training import lbfgs


def by_autograd(problem, networks, run, s, iterations, learning_rate, history_size):
    """torch.optim.LBFGS as anybody would call it; the network's loss after each call."""
    weights = [w[run].clone().requires_grad_() for w in (networks.inner, networks.outer)]
    x = torch.cat([torch.tensor(problem.x), torch.ones(len(problem.y), 1).double()], dim=1)
    y = torch.tensor(problem.y)

    def loss():
        predicted = homotopy(x @ weights[0], s) @ weights[1] / networks.width**0.5
        return ((predicted - y) ** 2).mean() / 2

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer = torch.optim.LBFGS(
        weights,
        lr=learning_rate,
        history_size=history_size,
        tolerance_grad=0,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )
    losses = [loss().item()]
    for count in iterations:
        optimizer.param_groups[0]["max_iter"] = count
        optimizer.step(closure)
        losses.append(loss().item())
    return losses


@pytest.mark.parametrize("inputs", [1, 2])
@pytest.mark.parametrize(("s", "learning_rate", "history_size"), [(1.0, 1.0, 10), (1.5, 0.3, 3)])
def test_it_is_torchs_with_gradients_by_autograd(
    small_problem, small_networks, inputs, s, learning_rate, history_size
):
    problem = Problem("narrow", small_problem.x[:, :inputs], small_problem.y)
    networks = TwoLayer(small_networks.inner[:, -inputs - 1 :], small_networks.outer)
    history, trained = lbfgs.train(problem, networks, 40, learning_rate, history_size, s)
    for run, rows in history.groupby("run"):
        expected = by_autograd(
            problem, networks, run, s, [1, 1, 2, 4, 8], learning_rate, history_size
        )
        np.testing.assert_allclose(rows["loss"].iloc[: len(expected)], expected, rtol=1e-8)
    residual = trained.predict(problem.x, s) - torch.tensor(problem.y)
    last = history.groupby("run")["loss"].last()
    np.testing.assert_allclose(last, (residual**2).mean(dim=1) / 2, rtol=1e-10)


def test_it_lowers_the_loss_and_counts_evaluations(small_problem, small_networks):
    before = small_networks.inner.clone()
    history, _ = lbfgs.train(small_problem, small_networks, evaluations=300)
    assert torch.equal(small_networks.inner, before)
    assert list(history) == ["run", "step", "evaluations", "seconds", "loss", "test_loss"]
    for _, rows in history.groupby("run"):
        assert (np.diff(rows["loss"]) <= 0).all()
        assert (np.diff(rows["evaluations"]) > 0).all()
        assert rows["evaluations"].iloc[0] == 0
        assert rows["evaluations"].iloc[-1] <= 301
        assert np.diff(rows["evaluations"]).max() <= 16 + 25 + 1
        assert rows["loss"].iloc[-1] < 1e-3 * rows["loss"].iloc[0]


def test_a_run_does_not_depend_on_the_others(small_problem, small_networks):
    together, trained = lbfgs.train(small_problem, small_networks, 50)
    one = TwoLayer(small_networks.inner[3:4], small_networks.outer[3:4])
    alone, alone_trained = lbfgs.train(small_problem, one, 50)
    rows = together[together["run"] == 3].reset_index(drop=True)
    assert rows["loss"].equals(alone["loss"])
    assert torch.equal(trained.inner[3], alone_trained.inner[0])


def test_where_nothing_can_be_gained_it_ends():
    problem = Problem("zero", np.array([[1.0], [2.0]]), np.array([0.0, 0.0]))
    networks = TwoLayer(torch.zeros(1, 2, 4).double(), torch.ones(1, 4).double())
    history, _ = lbfgs.train(problem, networks, 1000)
    assert history["evaluations"].iloc[-1] < 10
    assert "test_loss" not in history


def test_a_diverged_run_ends_at_infinity(small_problem):
    networks = TwoLayer.initialise([0], 2, 5)
    huge = TwoLayer(networks.inner * 1e20, networks.outer * 1e20)
    history, _ = lbfgs.train(small_problem, huge, 100)
    assert np.isinf(history["loss"].iloc[-1])
    assert np.isinf(history["test_loss"].iloc[-1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evaluations": 0}, "evaluations must be a positive integer; it is 0"),
        ({"history_size": 1.5}, "history_size must be a positive integer; it is 1.5"),
        ({"learning_rate": 0.0}, "learning_rate must be a positive number; it is 0"),
        ({"s": 3.0}, r"s must be a number in \[0, 2\]; it is 3"),
    ],
)
def test_what_is_out_of_range_is_refused(small_problem, small_networks, change, message):
    with pytest.raises(ValueError, match=f"lbfgs: {message}"):
        lbfgs.train(small_problem, small_networks, **change)


def test_inputs_must_fit(small_problem):
    with pytest.raises(
        ValueError, match="networks must have 2 inputs, as problem small; they have 3"
    ):
        lbfgs.train(small_problem, TwoLayer.initialise([0], 3, 5))


def test_networks_must_have_a_type_of_the_kernels(small_problem, small_networks):
    half = TwoLayer(small_networks.inner.half(), small_networks.outer.half())
    with pytest.raises(ValueError, match=r"float64 on the CPU; they are torch.float16 on cpu"):
        lbfgs.train(small_problem, half)
