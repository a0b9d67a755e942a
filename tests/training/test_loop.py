"""The loop: checkpoints, resumption, progress and observation, for every objective."""

import itertools
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from hrta import Plateau, Problem, Schedule, Stage, TwoLayer
from hrta.networks.adaptive import AdaptiveNetworks
from hrta.networks.perceptron import Perceptron
from hrta.problems.poisson import make_problem
from hrta.runtime import checkpoints
from hrta.training import AdaptiveSlopes, DeepRitz, train

RULE = Plateau(4, 0.01)


class KilledError(Exception):
    pass


def until(last):
    """Progress that is killed at that step, and the steps that it heard of."""
    heard = []

    def progress(step, steps):
        heard.append(step)
        if step >= last:
            raise KilledError

    return progress, heard


@pytest.fixture(autouse=True)
def _as_often_as_can_be(monkeypatch):
    monkeypatch.setattr(checkpoints, "WRITING_FRACTION", np.inf)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "deeper" / "state.npz"


def arguments(inputs=1, dtype=torch.float32):
    """Two methods that are one until the switch, three seeds each."""
    x = np.random.default_rng(0).normal(size=(12, inputs))
    problem = Problem("small", x, np.sin(x).sum(1), x[:3], np.cos(x[:3]).sum(1))
    networks = TwoLayer.initialise([0, 1, 2] * 2, inputs, width=9, dtype=dtype)
    ends = [Schedule([Stage(1, 50), Stage(s, 50)]) for s in (1, 1.5)]
    return problem, networks, np.repeat(ends, 3).tolist()


CASES = list(
    itertools.product(
        (1, 3),
        ("numba", "torch"),
        (
            {"optimizer": "adam"},
            {"optimizer": "nesterov", "batch_size": 4},
            {"optimizer": "heavy_ball", "reset_optimizer": True},
            {"optimizer": "adam", "preserve_function": True},
            {"optimizer": "gradient_descent", "fixed_outer": True},
        ),
    )
)


@pytest.mark.parametrize(("inputs", "engine", "options"), CASES)
def test_training_goes_on_as_if_nothing_had_happened(file, inputs, engine, options):
    options = {"learning_rate": 0.01, "log_every": 7, "engine": engine, "decay": 0.5, **options}
    undisturbed = train(*arguments(inputs), **options)
    for last in (5, 50, 55, 95):  # twice in each stage, the next time from where it was
        with pytest.raises(KilledError):
            train(*arguments(inputs), checkpoint=file, progress=until(last)[0], **options)
    progress, heard = until(np.inf)
    again = train(*arguments(inputs), checkpoint=file, progress=progress, **options)
    assert heard[0] == 95
    pd.testing.assert_frame_equal(again.history, undisturbed.history, check_exact=True)
    for name in ("inner", "outer"):
        assert torch.equal(getattr(again.networks, name), getattr(undisturbed.networks, name))
    np.testing.assert_array_equal(again.skip, undisturbed.skip)


def test_diverged_runs_stay_diverged(file):
    options = {"learning_rate": [1e-3, 1e30] * 3, "optimizer": "gradient_descent"}
    undisturbed = train(*arguments(), **options)
    with pytest.raises(KilledError):
        train(*arguments(), checkpoint=file, progress=until(70)[0], **options)
    again = train(*arguments(), checkpoint=file, **options)
    assert again.diverged == undisturbed.diverged != {}
    pd.testing.assert_frame_equal(again.history, undisturbed.history, check_exact=True)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_any_type_of_number_is_kept(file, dtype):
    options = {"engine": "torch", "learning_rate": 0.01}
    undisturbed = train(*arguments(dtype=dtype), **options)
    with pytest.raises(KilledError):
        train(*arguments(dtype=dtype), checkpoint=file, progress=until(70)[0], **options)
    again = train(*arguments(dtype=dtype), checkpoint=file, **options)
    assert torch.equal(again.networks.inner, undisturbed.networks.inner)


def small_classes():
    """Twelve points in the plane, of three classes, and three to test on."""
    x = np.random.default_rng(0).normal(size=(12, 2))
    return Problem("classes", x, np.arange(12) % 3, x[:3], np.arange(3), classes=3)


def deep_ritz(quadrature, seeds=None, **options):
    networks = TwoLayer.initialise([0, 1] * 2, 2, width=7)
    schedules = [Schedule([Stage(1, 50), Stage(s, 50)]) for s in (1, 1, 1.5, 1.5)]
    return train(
        make_problem("cosines"),
        networks,
        schedules,
        log_every=8,
        objective=DeepRitz(9, quadrature, seeds),
        **options,
    )


def slopes(recovery=0.2, **options):
    networks = AdaptiveNetworks.initialise([0, 1, 0], 1, [5, 4], adaptive="neuron")
    return train(
        arguments()[0],
        networks,
        Schedule([Stage(1, 100)]),
        learning_rate=[0.01, 0.02, 0.03],
        decay=0.1,
        log_every=7,
        objective=AdaptiveSlopes(recovery),
        **options,
    )


def modules(classes, base="tanh", **options):
    problem = small_classes() if classes else arguments(2)[0]
    models = [Perceptron(2, 6, 2, 3 if classes else 1, base, seed=seed) for seed in (0, 1, 0)]
    schedules = [Schedule([Stage(1, 30), Stage(1.5, 70)]), Schedule([Stage(1, 60), Stage(0.5, 40)])]
    return train(problem, models, schedules, learning_rate=0.03, decay=0.5, log_every=6, **options)


def plateaus(plateau=RULE, **options):
    problem, networks, _ = arguments()
    schedule = Schedule([Stage(0.5, 40), Stage(1, 40), Stage(1.5, 20)])
    return train(
        problem,
        networks,
        schedule,
        learning_rate=[0.03, 0.1, 0.3, 0.03, 0.1, 1e30],
        optimizer="gradient_descent",
        plateau=plateau,
        preserve_function=True,
        **options,
    )


OBJECTIVES = {
    "grid": partial(deep_ritz, "grid"),
    "monte_carlo": partial(deep_ritz, "monte_carlo"),
    "reset": partial(deep_ritz, "grid", reset_optimizer=True),
    "slopes": slopes,
    "modules": partial(modules, False),
    "modules, heavy ball": partial(modules, False, optimizer="heavy_ball", reset_optimizer=True),
    "classes": partial(modules, True),
    "plateaus": plateaus,
    "plateaus, torch": partial(plateaus, engine="torch"),
    "plateaus, rarely logged": partial(plateaus, log_every=3),
}


def numbers_of(networks):
    """All parameters of networks of any kind, as arrays."""
    if isinstance(networks, TwoLayer):
        return [networks.inner.numpy(), networks.outer.numpy()]
    if isinstance(networks, AdaptiveNetworks):
        return [each.numpy() for each in (*networks.weights, *networks.biases, *networks.slopes)]
    return [n.detach().numpy() for each in networks for n in each.state_dict().values()]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_goes_on_as_if_nothing_had_happened(file, objective):
    run = OBJECTIVES[objective]
    undisturbed = run()
    for last in (20, 60, 90):
        with pytest.raises(KilledError):
            run(progress=until(last)[0], checkpoint=file)
    progress, heard = until(np.inf)
    again = run(progress=progress, checkpoint=file)
    assert heard[0] >= 85
    pd.testing.assert_frame_equal(again.history, undisturbed.history, check_exact=True)
    pairs = zip(numbers_of(again.networks), numbers_of(undisturbed.networks), strict=True)
    assert all(np.array_equal(ours, theirs, equal_nan=True) for ours, theirs in pairs)
    assert again.diverged == undisturbed.diverged
    assert (again.skip is None) == (undisturbed.skip is None)


CHANGES = {
    "slopes": (partial(slopes, recovery=0.3), "recovery must be 0.3; it is 0.2"),
    "modules": (partial(modules, False, base="relu"), "model must be "),
    "monte_carlo": (
        partial(deep_ritz, "monte_carlo", seeds=[0, 1, 2, 4]),
        "seeds of points must be ",
    ),
    "plateaus": (partial(plateaus, plateau=Plateau(4, 0.02)), "plateau must be "),
}


@pytest.mark.parametrize("objective", CHANGES)
def test_other_options_of_an_objective_are_another_training(file, objective):
    OBJECTIVES[objective](checkpoint=file)
    changed, message = CHANGES[objective]
    with pytest.raises(ValueError, match="the checkpoint belongs to another computation") as error:
        changed(checkpoint=file)
    assert message in str(error.value)


@pytest.mark.parametrize("objective", ["slopes", "modules", "monte_carlo"])
def test_observers_see_the_networks_after_that_many_updates(objective):
    seen = {}
    run = OBJECTIVES[objective]
    trained = run(observe=lambda step, now: seen.update({step: now}), observe_at=[0, 33, 100])
    assert sorted(seen) == [0, 33, 100]
    last, middle = numbers_of(seen[100]), numbers_of(seen[33])
    assert all(map(np.array_equal, last, numbers_of(trained.networks)))
    assert not all(map(np.array_equal, last, middle))
    pd.testing.assert_frame_equal(trained.history, run().history, check_exact=True)


OTHERS = {
    "learning_rate": ({"learning_rate": 0.02}, "learning rates must be [0.02]; it is [0.001]"),
    "momentum": ({"momentum": 0.5}, "momentum must be 0.5; it is 0.9"),
    "decay": ({"decay": 0.5}, "decay must be 0.5; it is 1.0"),
    "batch_size": ({"batch_size": 3}, "batch_size must be 3; it is null"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_checkpoint_of_another_training_is_refused_and_kept(file, other):
    train(*arguments(), checkpoint=file)
    options, message = OTHERS[other]
    before = file.read_bytes()
    with pytest.raises(ValueError, match="the checkpoint belongs to another computation") as error:
        train(*arguments(), checkpoint=file, **options)
    assert message in str(error.value)
    assert "remove it to start again" in str(error.value)
    assert file.read_bytes() == before


def test_other_points_weights_and_stages_are_another_training(file):
    problem, networks, schedules = arguments()
    train(problem, networks, schedules, checkpoint=file)
    moved = Problem("small", problem.x, problem.y + 1e-9, problem.x_test, problem.y_test)
    longer = [Schedule([Stage(1, 50), Stage(1, 51)])] * 6
    others = TwoLayer.initialise(range(6), 1, width=9)
    for changed in (
        (moved, networks, schedules),
        (problem, others, schedules),
        (problem, networks, longer),
    ):
        with pytest.raises(ValueError, match="the checkpoint belongs to another computation"):
            train(*changed, checkpoint=file)


def test_what_an_observer_would_miss_is_refused(file):
    with pytest.raises(ValueError, match="observe and checkpoint must not be given together"):
        train(*arguments(), observe=print, observe_at=[3], checkpoint=file)


def set_value(name, index, value):
    """A change of one number of the state."""

    def change(state):
        state[name][index] = value

    return change


def replaced(name, change):
    """A change of one array of the state."""

    def change_state(state):
        state[name] = change(state[name])

    return change_state


# Arrays as a program that was changed, or somebody else, may have written them; with the whole file
# intact. An index out of range would be read by compiled code.
DAMAGES = {
    "no parameters": lambda state: state.pop("parameters"),
    "another dtype": replaced("parameters", lambda array: array.astype("float64")),
    "fewer neurons": replaced("parameters", lambda array: array[..., :-1]),
    "fewer moments": replaced("moments", lambda array: array[:-1]),
    "objects": replaced("moments", lambda array: array.astype(str)),
    "a run out of range": set_value("runs", 0, 6),
    "a negative run": set_value("runs", 0, -1),
    "a branch out of range": set_value("branches", 0, 9),
    "a branch that nobody has": replaced("branches", np.zeros_like),
    "runs in a table": replaced("runs", lambda array: array[:, None]),
    "a step out of range": replaced("step", lambda step: step * 0 + 10**6),
    "a negative step": replaced("step", lambda step: -step),
    "a switch out of range": set_value("switches", (0, 0, 0), 10**9),
    "a negative switch": set_value("switches", (0, 1, 0), -7),
    "diverged in the future": set_value("diverged", 0, 99),
    "another number of measures": replaced("measured", lambda array: array[:1]),
    "fewer rows": replaced("measured", lambda array: array[..., :-1]),
    "no measures": lambda state: state.pop("measured"),
    "a scalar for the runs": replaced("runs", lambda array: array[0]),
}


def damage(file, change):
    """Change the state in a checkpoint, which stays a whole file."""
    with np.load(file) as arrays:
        state = dict(arrays)
    change(state)
    np.savez(file, **state)


@pytest.mark.parametrize("name", DAMAGES)
def test_arrays_that_cannot_be_a_state_are_refused_in_one_line(file, name):
    with pytest.raises(KilledError):
        train(*arguments(), checkpoint=file, progress=until(70)[0])
    damage(file, DAMAGES[name])
    with pytest.raises(ValueError, match=r"state\.npz: not a complete checkpoint \(") as error:
        train(*arguments(), checkpoint=file)
    assert "\n" not in str(error.value)
