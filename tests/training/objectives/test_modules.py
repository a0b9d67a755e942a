"""Ensembles of modules against one plain model in torch, and against the two-layer trainer."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from training_tasks import classes

import hrta
from hrta import (
    HomotopyActivation,
    HomotopyScheduler,
    Plateau,
    Problem,
    Schedule,
    Stage,
    TwoLayer,
    convert,
    train,
)
from hrta.networks.perceptron import Perceptron
from hrta.problems.targets import make_problem

STAGES = Schedule([Stage(0.5, 4), Stage(1.5, 6)])
# In float64: a dozen steps of Adam, whose first ones divide small differences by small roots.
CLOSE = {"rtol": 1e-9, "atol": 1e-11}


class Residual(nn.Module):
    """Something other than a chain: shared and fixed weights, a buffer of each model's own."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Linear(2, 5)
        self.fixed = nn.Linear(5, 5).requires_grad_(False)
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.register_buffer("frequencies", torch.randn(2))
        self.last = nn.Linear(5, 1)
        self.activation = nn.ReLU()

    def forward(self, x):
        h = self.activation(self.first(torch.sin(self.frequencies * x)))
        return self.last(self.scale * h + self.activation(self.fixed(h)))[:, 0]


def perceptrons(problem, hidden=2, base="tanh", seeds=range(3), width=7, dtype=torch.float64):
    sizes = (problem.inputs, width, hidden, problem.classes or 1)
    return [Perceptron(*sizes, base, seed=seed, dtype=dtype) for seed in seeds]


def loss_of(problem, outputs):
    y = torch.tensor(problem.y)
    if problem.classes:
        return functional.cross_entropy(outputs, y)
    return ((outputs.reshape(-1) - y) ** 2).sum() / (2 * len(y))


def plain_loop(problem, model, schedules, rate, decay):
    """The loop that anybody would write; all losses, and the model."""
    model = copy.deepcopy(model)
    activations = [m for m in model.modules() if isinstance(m, HomotopyActivation)]
    schedulers = list(map(HomotopyScheduler, activations, schedules))
    adam = torch.optim.Adam([p for p in model.parameters() if p.requires_grad])
    x, steps, losses = torch.tensor(problem.x), schedules[0].steps, []
    for step in range(steps):
        adam.zero_grad()
        loss = loss_of(problem, model(x))
        losses.append(loss.item())
        loss.backward()
        adam.param_groups[0]["lr"] = rate * decay ** (step / steps)
        adam.step()
        for scheduler in schedulers:
            scheduler.step()
    return [*losses, loss_of(problem, model(x)).item()], model


CASES = {
    "number": lambda small: (small, perceptrons(small), [STAGES] * 2),
    "deep": lambda small: (small, perceptrons(small, 3, "gelu"), [STAGES] * 3),
    "layers": lambda small: (
        small,
        perceptrons(small),
        [Schedule([Stage(1, 3), Stage(1.5, 7)]), Schedule([Stage(1, 8), Stage(0.3, 2)])],
    ),
    "classes": lambda _: (classes(), perceptrons(classes()), [STAGES] * 2),
    "other": lambda small: (
        small,
        [convert(Residual(seed).double(), nn.ReLU) for seed in range(3)],
        [STAGES],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_run_is_torchs_adam_by_itself(small_problem, case):
    problem, models, schedules = CASES[case](small_problem)
    rates, decay = [0.1, 0.01, 0.03], 0.2
    trained = train(problem, models, schedules, learning_rate=rates, decay=decay)
    assert trained.diverged == {}
    for run, (model, rate) in enumerate(zip(models, rates, strict=True)):
        losses, expected = plain_loop(problem, model, schedules, rate, decay)
        here = trained.history[trained.history["run"] == run]
        np.testing.assert_allclose(here["loss"], losses, rtol=1e-9)
        assert here["s"].tolist() == [schedules[-1].s_at(step) for step in range(11)]
        assert here["stage"].tolist() == [schedules[-1].stage_at(step) for step in range(11)]
        found = trained.networks[run].state_dict()
        assert found.keys() == expected.state_dict().keys()
        for name, value in expected.state_dict().items():
            torch.testing.assert_close(found[name], value, **CLOSE)


@pytest.mark.parametrize("case", ["number", "classes", "other"])
def test_test_measures_are_of_the_test_points(small_problem, case):
    problem, models, schedules = CASES[case](small_problem)
    trained = train(problem, models, schedules, learning_rate=0.1)
    last = trained.history.groupby("run").tail(1)
    for run, model in enumerate(trained.networks):
        tested = Problem("test", problem.x_test, problem.y_test, classes=problem.classes)
        outputs = model(torch.tensor(problem.x_test))
        expected = loss_of(tested, outputs).item()
        assert last["test_loss"].iloc[run] == pytest.approx(expected, rel=1e-12)
        if problem.classes:
            wrong = np.argmax(outputs.detach().numpy(), axis=1) != problem.y_test
            assert last["test_error"].iloc[run] == pytest.approx(wrong.mean(), rel=1e-12)
    columns = ["run", "step", "stage", "s", "loss", "test_loss"]
    assert [*trained.history] == columns + ["test_error"] * bool(problem.classes)
    untested = Problem("mine", problem.x, problem.y, classes=problem.classes)
    history = train(untested, models, schedules, learning_rate=0.1).history
    assert [*history] == columns[:-1]
    np.testing.assert_array_equal(history["loss"], trained.history["loss"])


def test_with_one_hidden_layer_it_is_the_two_layer_trainer():
    problem = make_problem("sine1d", 20, 10)
    options = {"learning_rate": [0.01, 0.1, 0.03], "log_every": 6, "decay": 0.1}
    networks = TwoLayer.initialise(range(3), 1, 7, dtype=torch.float64)
    expected = hrta.train(problem, networks, STAGES, engine="torch", **options)
    found = train(problem, perceptrons(problem, 1, "relu"), STAGES, **options).history
    assert found["step"].tolist() == [0, 6, 10] * 3
    assert [*found] == [*expected.history]
    for column in found:
        np.testing.assert_allclose(found[column], expected.history[column], rtol=1e-9)


@pytest.mark.parametrize("base", hrta.activations.BASES)
def test_a_run_is_the_same_in_other_company(small_problem, base):
    """Up to rounding, which ten steps of Adam hardly enlarge."""
    models, rates = perceptrons(small_problem, 2, base, range(5)), [0.01, 0.02, 0.05, 0.1, 0.001]
    together = train(small_problem, models, STAGES, learning_rate=rates).history
    for run in (0, 3):
        alone = train(small_problem, [models[run]], STAGES, learning_rate=rates[run]).history
        here = together[together["run"] == run]
        for loss in ("loss", "test_loss"):
            np.testing.assert_allclose(here[loss], alone[loss], rtol=1e-10)


def test_the_same_call_gives_the_same_bits_however_many_threads_there_are():
    problem, threads = make_problem("sine1d"), torch.get_num_threads()
    models, found = perceptrons(problem, 2, width=50, dtype=torch.float32), []
    try:
        for count in (1, 2, 2):
            torch.set_num_threads(count)
            found.append(train(problem, models, STAGES, learning_rate=0.01).history)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


@pytest.mark.parametrize("case", ["number", "classes", "other"])
def test_a_run_that_diverges_is_frozen_and_harms_no_other(small_problem, case):
    problem, models, schedules = CASES[case](small_problem)
    well = train(problem, models, schedules, learning_rate=0.01).history
    trained = train(problem, models, schedules, learning_rate=[0.01, 1e200, 0.01])
    history = trained.history
    lost = history[history["run"] == 1].set_index("step")
    (step,) = trained.diverged.values()
    assert list(trained.diverged) == [1]
    assert np.isfinite(lost["loss"][: step - 1]).all()
    assert np.isinf(lost.loc[step:, ["loss", "test_loss"]]).all(axis=None)
    if problem.classes:
        assert (lost.loc[step:, "test_error"] == 1).all()
    assert all(each.isfinite().all() for each in trained.networks[1].parameters())
    others = history["run"] != 1
    np.testing.assert_allclose(history[others], well[others], rtol=1e-10)


def test_what_is_given_is_left_as_it_was(small_problem):
    models = perceptrons(small_problem)
    before = copy.deepcopy(models)
    trained = train(small_problem, models, STAGES, learning_rate=0.1)
    for given, was, now in zip(models, before, trained.networks, strict=True):
        for name, value in was.state_dict().items():
            assert torch.equal(given.state_dict()[name], value)
            assert not torch.equal(now.state_dict()[name], value)
        assert all(p.grad is None and p.requires_grad for p in [*given.parameters()])
        assert now.layers[1].s == now.layers[3].s == 1.5


def test_progress_is_told(small_problem):
    seen = []
    train(small_problem, perceptrons(small_problem), STAGES, progress=lambda *at: seen.append(at))
    assert seen == [(step, 10) for step in range(11)]


def chain(layer):
    return nn.Sequential(nn.Linear(2, 4), layer, HomotopyActivation(), nn.Linear(4, 1))


def test_what_is_random_will_do_when_it_is_not(small_problem):
    model = chain(nn.Dropout()).eval()
    assert not train(small_problem, [model], STAGES).diverged


ANOTHER = "model 1 has another structure than model 0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": []}, "networks must have at least one model"),
        ({"models": [nn.Linear(2, 1)]}, "the model must contain a HomotopyActivation; it has none"),
        ({"models": [HomotopyActivation()]}, "the model must have trainable parameters"),
        ({"models": [Perceptron(2, 5), Perceptron(2, 6)]}, ANOTHER),
        ({"models": [Perceptron(2, 5), Perceptron(2, 5, base="tanh")]}, ANOTHER),
        ({"models": [Perceptron(2, 5), Perceptron(2, 5).eval()]}, ANOTHER),
        ({"models": [Perceptron(2, 5), Perceptron(2, 5).requires_grad_(False)]}, ANOTHER),
        ({"models": [Perceptron(3, 5)]}, r"the model must accept points \[n, 2\]; it raises: "),
        ({"models": [Perceptron(2, 5, 1, 3)]}, r"must be \[7\] or \[7, 1\]; it is \[7, 3\]"),
        ({"models": [chain(nn.Dropout())]}, "must not change in a forward pass; eval"),
        ({"models": [chain(nn.BatchNorm1d(4))]}, "must not change in a forward pass; eval"),
        (
            {"schedule": [STAGES]},
            "must be one or 2, one for each of the homotopy activations; there are 1",
        ),
        ({"schedule": [1.0, 1.5]}, "schedule must be an hrta.Schedule or several"),
        (
            {"schedule": [STAGES, Schedule([Stage(1, 3)])]},
            r"all schedules must have the same number of steps; they have \[3, 10\]",
        ),
        ({"learning_rate": [0.1]}, "must be a number or 3 numbers, one for each run"),
        ({"learning_rate": 0}, "learning_rate must be a positive number; it is 0"),
        ({"log_every": 0}, "log_every must be a positive integer; it is 0"),
        ({"decay": 0}, r"decay must be in \(0, 1\]; it is 0"),
        ({"plateau": Plateau()}, "modules does not accept plateau"),
        ({"preserve_function": True}, "modules does not accept preserve_function"),
    ],
)
def test_training_that_makes_no_sense_is_refused(small_problem, change, message):
    options = {"schedule": STAGES} | change
    models = options.pop("models", perceptrons(small_problem))
    with pytest.raises(ValueError, match=message):
        train(small_problem, models, **options)


def test_stages_there_must_be():
    with pytest.raises(ValueError, match="at least one stage is needed"):
        Schedule([])


def test_for_classes_there_is_an_output_of_each():
    with pytest.raises(ValueError, match=r"must be \[20, 3\]; it is \[20, 1\]"):
        train(classes(), [Perceptron(2, 5)], STAGES)
