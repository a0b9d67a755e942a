import itertools

import numpy as np
import pandas as pd
import pytest
import torch

import hrta
from hrta import Schedule, Stage
from hrta.networks.two_layer import TwoLayer
from hrta.problems.poisson import make_problem
from hrta.problems.problem import Problem
from hrta.runtime import checkpoints
from hrta.runtime.checkpoints import Checkpoint, Parts
from hrta.training import deep_ritz


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
    monkeypatch.setattr(checkpoints, "SHARE", np.inf)


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
        ("cpu", "reference"),
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
    undisturbed = hrta.train(*arguments(inputs), **options)
    for last in (5, 50, 55, 95):  # twice in each stage, the next time from where it was
        with pytest.raises(KilledError):
            hrta.train(*arguments(inputs), checkpoint=file, progress=until(last)[0], **options)
    progress, heard = until(np.inf)
    again = hrta.train(*arguments(inputs), checkpoint=file, progress=progress, **options)
    assert heard[0] == 95
    pd.testing.assert_frame_equal(again.history, undisturbed.history, check_exact=True)
    for name in ("inner", "outer"):
        assert torch.equal(getattr(again.networks, name), getattr(undisturbed.networks, name))
    np.testing.assert_array_equal(again.skip, undisturbed.skip)


def test_diverged_runs_stay_diverged(file):
    options = {"learning_rate": [1e-3, 1e30] * 3, "optimizer": "gradient_descent"}
    undisturbed = hrta.train(*arguments(), **options)
    with pytest.raises(KilledError):
        hrta.train(*arguments(), checkpoint=file, progress=until(70)[0], **options)
    again = hrta.train(*arguments(), checkpoint=file, **options)
    assert again.diverged == undisturbed.diverged != {}
    pd.testing.assert_frame_equal(again.history, undisturbed.history, check_exact=True)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_any_type_of_number_is_kept(file, dtype):
    options = {"engine": "reference", "learning_rate": 0.01}
    undisturbed = hrta.train(*arguments(dtype=dtype), **options)
    with pytest.raises(KilledError):
        hrta.train(*arguments(dtype=dtype), checkpoint=file, progress=until(70)[0], **options)
    again = hrta.train(*arguments(dtype=dtype), checkpoint=file, **options)
    assert torch.equal(again.networks.inner, undisturbed.networks.inner)


@pytest.mark.parametrize("quadrature", ["grid", "monte_carlo"])
def test_deep_ritz_goes_on_as_if_nothing_had_happened(file, quadrature):
    problem, networks = make_problem("cosines"), TwoLayer.initialise([0, 1] * 2, 2, width=7)
    schedules = [Schedule([Stage(1, 40), Stage(s, 40)]) for s in (1, 1, 1.5, 1.5)]
    given = (problem, networks, schedules, 9, quadrature)
    undisturbed = deep_ritz.train(*given, log_every=8)
    for last in (20, 60):
        with pytest.raises(KilledError):
            deep_ritz.train(*given, log_every=8, progress=until(last)[0], checkpoint=file)
    again = deep_ritz.train(*given, log_every=8, checkpoint=file)
    pd.testing.assert_frame_equal(again.history, undisturbed.history, check_exact=True)
    assert torch.equal(again.networks.outer, undisturbed.networks.outer)


OTHERS = {
    "learning_rate": ({"learning_rate": 0.02}, "learning rates is [0.001] there and [0.02] here"),
    "momentum": ({"momentum": 0.5}, "momentum is 0.9 there and 0.5 here"),
    "decay": ({"decay": 0.5}, "decay is 1.0 there and 0.5 here"),
    "batch_size": ({"batch_size": 3}, "batch size is null there and 3 here"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_checkpoint_of_another_training_is_refused_and_kept(file, other):
    hrta.train(*arguments(), checkpoint=file)
    options, message = OTHERS[other]
    before = file.read_bytes()
    with pytest.raises(ValueError, match="another computation") as error:
        hrta.train(*arguments(), checkpoint=file, **options)
    assert message in str(error.value)
    assert "remove it to begin anew" in str(error.value)
    assert file.read_bytes() == before


def test_other_points_weights_and_stages_are_another_training(file):
    problem, networks, schedules = arguments()
    hrta.train(problem, networks, schedules, checkpoint=file)
    moved = Problem("small", problem.x, problem.y + 1e-9, problem.x_test, problem.y_test)
    longer = [Schedule([Stage(1, 50), Stage(1, 51)])] * 6
    others = TwoLayer.initialise(range(6), 1, width=9)
    for changed in (
        (moved, networks, schedules),
        (problem, others, schedules),
        (problem, networks, longer),
    ):
        with pytest.raises(ValueError, match="another computation"):
            hrta.train(*changed, checkpoint=file)


@pytest.mark.parametrize("part", [0, 0.01, 0.5, 0.99])
def test_a_file_that_is_not_whole_is_refused_in_one_line(file, part):
    hrta.train(*arguments(), checkpoint=file)
    content = file.read_bytes()
    file.write_bytes(content[: int(part * len(content))])
    with pytest.raises(
        ValueError, match=r"state\.npz: not a whole checkpoint .* begin anew"
    ) as error:
        hrta.train(*arguments(), checkpoint=file)
    assert str(error.value).endswith("remove it to begin anew")
    assert "\n" not in str(error.value)


def test_a_changed_byte_is_found(file):
    hrta.train(*arguments(), checkpoint=file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match="not a whole checkpoint"):
        hrta.train(*arguments(), checkpoint=file)


def test_what_an_observer_would_miss_is_refused(file):
    with pytest.raises(ValueError, match="observe and checkpoint"):
        hrta.train(*arguments(), observe=print, observe_at=[3], checkpoint=file)


def test_writing_takes_its_share_of_the_time_at_most(file, monkeypatch):
    monkeypatch.setattr(checkpoints, "SHARE", 0.5)
    now = iter([0.0, *(0.0, 3.0), 8.9, *(9.1, 9.2)])
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: next(now))
    written = []

    def state():
        written.append(len(written))
        return {}

    checkpoint = Checkpoint(file, {})
    checkpoint.offer(state)  # takes 3 s, so the next comes 6 s later at the soonest
    checkpoint.offer(state)
    assert written == [0]
    checkpoint.offer(state)
    assert written == [0, 1]


def test_finished_parts_are_not_computed_again(file):
    tables = {name: [pd.DataFrame({"a": [name], "b": [0.1]})] for name in ("x", "y")}
    parts = Parts(Checkpoint(file, {"of": "these"}))
    for name, of_part in tables.items():
        assert parts.tables(name, lambda made=of_part: made) is of_part
    again = Parts(Checkpoint(file, {"of": "these"}))
    for name, (table,) in tables.items():
        (kept,) = again.tables(name, lambda: pytest.fail("computed again"))
        pd.testing.assert_frame_equal(kept, table, check_exact=True)


def test_the_name_says_what_it_is():
    with pytest.raises(ValueError, match=r"must be a file \*\.npz"):
        Checkpoint("state.pt", {})
