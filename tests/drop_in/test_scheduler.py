"""Paths of s, the state of a scheduler, and an s that was loaded with the model."""

import copy
import io
import json
import math
import pickle

import pytest
import torch
from torch import nn

from hrta import HomotopyActivation, HomotopyScheduler, Plateau, Schedule, Stage, convert

STAGES = [Stage(0.5, 3), Stage(1.0, 2), Stage(1.5, 4)]


def model(s=1.0):
    torch.manual_seed(0)
    return convert(nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU()), s=s)


def parameters_of(network):
    return [float(m.s) for m in network.modules() if isinstance(m, HomotopyActivation)]


def path(step):
    return min(1 + step / 10, 1.5)


def saved(part):
    """The state of a model or scheduler, from a file."""
    file = io.BytesIO()
    torch.save(part.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def one_line(raised):
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_update_after_step_updates_is_made_under_s_of_step():
    network = model()
    scheduler = HomotopyScheduler(network, path)
    changed = []
    for step in range(8):
        assert scheduler.s == scheduler.get_last_s() == path(step)
        assert parameters_of(network) == [path(step)] * 2
        assert scheduler.stage is None
        changed.append(scheduler.step())
    assert changed == [True] * 5 + [False] * 3


def test_a_function_of_the_stages_is_these_stages():
    schedule = Schedule(STAGES)
    stages = HomotopyScheduler(model(), schedule)
    function = HomotopyScheduler(model(), lambda step: schedule.s_at(min(step, schedule.steps)))
    for _ in range(12):
        assert stages.s == function.s
        assert stages.step() == function.step()


@pytest.mark.parametrize("value", [2.01, -0.1, math.nan, None, "high", torch.ones(2, 2), 10**400])
def test_a_path_that_leaves_its_range_is_refused_with_its_step(value):
    network = model()
    scheduler = HomotopyScheduler(network, lambda step: 1.0 if step < 3 else value)
    assert [scheduler.step(), scheduler.step()] == [False, False]
    for _ in range(2):  # no update was counted
        with pytest.raises(ValueError, match=r"number in \[0, 2\]; at step 3 it is ") as raised:
            scheduler.step()
        one_line(raised)
    assert parameters_of(network) == [1.0, 1.0]
    with pytest.raises(ValueError, match="at step 0 it is "):
        HomotopyScheduler(network, lambda step: value)


def test_values_of_a_path_may_be_tensors_that_want_a_gradient():
    scheduler = HomotopyScheduler(model(), lambda step: torch.tensor(1.5, requires_grad=True))
    assert scheduler.s == 1.5


def test_a_path_has_no_plateau():
    with pytest.raises(ValueError, match=r"with a function s\(step\) it must be None"):
        HomotopyScheduler(model(), path, Plateau())


@pytest.mark.parametrize(
    ("schedule", "plateau", "text"),
    [
        (
            [Stage(1, 4), Stage(1.5, 9)],
            None,
            "HomotopyScheduler(s = 1 for 4 steps, s = 1.5 for 9 steps; now stage 2 of 2, "
            "2 steps made in it, s = 1.5)",
        ),
        (
            Schedule.linear(0, 1 / 64, 128, 5),
            Plateau(7, 0.1),
            "HomotopyScheduler(128 stages from s = 0 to 1.98438, 640 steps, Plateau(patience=7, "
            "threshold=0.1); now stage 2 of 128, 1 steps made in it, s = 0.015625)",
        ),
        (path, None, "HomotopyScheduler(path(step); now 6 steps made, s = 1.5)"),
    ],
)
def test_its_text_is_one_line_with_the_schedule_and_the_position(schedule, plateau, text):
    scheduler = HomotopyScheduler(model(), schedule, plateau)
    for loss in range(6):
        scheduler.step(1 / (loss + 1))
    assert repr(scheduler) == text


@pytest.mark.parametrize("schedule", [STAGES, path])
def test_a_state_goes_through_files_and_json(schedule):
    scheduler = HomotopyScheduler(model(), schedule)
    for _ in range(4):
        scheduler.step()
    for state in (saved(scheduler), json.loads(json.dumps(scheduler.state_dict()))):
        network = model()
        other = HomotopyScheduler(network, schedule)
        other.load_state_dict(state)
        assert other.state_dict() == scheduler.state_dict()
        assert parameters_of(network) == [scheduler.s] * 2
        assert repr(other) == repr(scheduler)


@pytest.mark.parametrize(
    ("schedule", "plateau", "difference"),
    [
        (STAGES[:2], None, "2 stages there, 3 here"),
        (
            [*STAGES[:2], Stage(1.5, 5)],
            None,
            r"stage 3 is Stage\(s=1.5, steps=5\) there, Stage\(s=1.5, steps=4\) here",
        ),
        (STAGES, Plateau(2, 0.1), r"Plateau\(patience=2, threshold=0.1\) there, None here"),
        (path, None, r"a function s\(step\) there, stages here"),
    ],
)
def test_the_state_of_another_schedule_is_refused(schedule, plateau, difference):
    state = HomotopyScheduler(model(), schedule, plateau).state_dict()
    network = model()
    scheduler = HomotopyScheduler(network, STAGES)
    scheduler.step()
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match=f"the state is of another schedule: {difference}$") as why:
        scheduler.load_state_dict(state)
    one_line(why)
    assert scheduler.state_dict() == before
    assert parameters_of(network) == [0.5, 0.5]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"step": 3, "s": 1.1}, r"another schedule: at step 3 s is 1.1 there, 1.3 here"),
        (HomotopyScheduler(model(), STAGES).state_dict(), r"stages there, a function s\(step\) "),
        ({"step": 3}, "the state must have s"),
        ({"step": -1, "s": 1.0}, "must be a non-negative integer and s a number; they are -1 and"),
        ({"step": 1.5, "s": 1.0}, "must be a non-negative integer and s a number; they are 1.5"),
        ({"step": 1, "s": "high"}, "and s a number; they are 1 and 'high'"),
        (None, "the state must be a dict; it is None"),
    ],
)
def test_the_state_of_another_path_is_refused(state, message):
    network = model()
    scheduler = HomotopyScheduler(network, path)
    scheduler.step()
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match=message) as raised:
        scheduler.load_state_dict(state)
    one_line(raised)
    assert scheduler.state_dict() == before
    assert parameters_of(network) == [1.1, 1.1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": 3},
        {"schedule": [[1.0]]},
        {"schedule": "stages"},
        {"plateau": 4},
        {"plateau": torch.ones(2, 2)},
        {"schedule": [[5.0, 1]] * 9999},
    ],
)
def test_a_state_with_no_schedule_is_refused(wrong):
    scheduler = HomotopyScheduler(model(), STAGES)
    with pytest.raises(ValueError, match=r"the state must have a schedule \[\[s, steps\]") as why:
        scheduler.load_state_dict({**scheduler.state_dict(), **wrong})
    assert len(one_line(why)) < 250


# An s that was loaded with the model.


def trained(schedule=STAGES, steps=4):
    """A model and its scheduler after some steps."""
    network = model()
    scheduler = HomotopyScheduler(network, schedule)
    for _ in range(steps):
        scheduler.step()
    return network, scheduler


@pytest.mark.parametrize("schedule", [STAGES, path])
@pytest.mark.parametrize("order", ["model", "scheduler"])
def test_training_resumes_in_either_order_of_loading(schedule, order):
    network, scheduler = trained(schedule)
    new = model()
    resumed = HomotopyScheduler(new, schedule)
    parts = [(new, network), (resumed, scheduler)]
    for part, source in parts if order == "model" else parts[::-1]:
        part.load_state_dict(saved(source))
    for _ in range(6):
        assert resumed.step() == scheduler.step()
        assert parameters_of(new) == parameters_of(network)


def test_a_scheduler_does_not_reset_an_s_that_was_loaded():
    new = model()
    new.load_state_dict(saved(trained(steps=7)[0]))
    scheduler = HomotopyScheduler(new, STAGES)
    assert parameters_of(new) == [1.5, 1.5]
    assert (scheduler.s, scheduler.get_last_s()) == (0.5, 1.5)
    scheduler.load_state_dict(trained(steps=7)[1].state_dict())
    assert not scheduler.step()


def test_a_step_from_an_s_of_another_place_is_refused():
    new = model()
    new.load_state_dict(saved(trained(steps=7)[0]))
    scheduler = HomotopyScheduler(new, STAGES)
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match=r"loaded with s = 1.5, where .* s = 0.5; load ") as raised:
        scheduler.step()
    assert "scheduler.restart()" in one_line(raised)
    assert scheduler.state_dict() == before
    scheduler.restart()
    assert parameters_of(new) == [0.5, 0.5]
    assert [scheduler.step() for _ in range(3)] == [False, False, True]


def test_restart_begins_again():
    network, scheduler = trained()
    scheduler.restart()
    assert scheduler.state_dict() == HomotopyScheduler(model(), STAGES).state_dict()
    assert parameters_of(network) == [0.5, 0.5]


def test_an_s_that_was_loaded_or_set_and_is_that_of_the_schedule_is_no_error():
    new = model()
    new.load_state_dict(saved(model(s=0.5)))
    assert not HomotopyScheduler(new, STAGES).step()
    new.load_state_dict(saved(model(s=1.25)))
    new[1].s = new[3].s = 1.75
    scheduler = HomotopyScheduler(new, STAGES)
    assert parameters_of(new) == [0.5, 0.5]
    new[1].s = 1.75
    assert not scheduler.step()


def test_s_of_a_device_without_float64_counts_as_the_same():
    new, schedule = model(), [Stage(1.3, 2), Stage(1.7, 2)]
    rounded = {name: value.float() for name, value in model(s=1.3).state_dict().items()}
    new.load_state_dict(rounded)
    scheduler = HomotopyScheduler(new, schedule)
    assert not scheduler.step()
    assert parameters_of(new) == [1.3, 1.3]


def test_schedulers_of_parts_resume_each_its_own():
    def parts():
        network = model()
        second = [Stage(1.0, 2), Stage(2.0, 2)]
        return network, HomotopyScheduler(network[:2], path), HomotopyScheduler(network[2:], second)

    network, *schedulers = parts()
    for _ in range(3):
        for scheduler in schedulers:
            scheduler.step()
    new, *resumed = parts()
    new.load_state_dict(saved(network))
    with pytest.raises(ValueError, match=r"loaded with s = 1.3, where the schedule has s = 1; "):
        resumed[0].step()
    for other, scheduler in zip(resumed, schedulers, strict=True):
        other.load_state_dict(saved(scheduler))
        assert other.step() == scheduler.step()
    assert parameters_of(new) == parameters_of(network) == [1.4, 2.0]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_copies_of_a_loaded_model_are_loaded_and_go_their_own_way(duplicate):
    network = model()
    network.load_state_dict(saved(model(s=1.5)))
    other = duplicate(network)
    scheduler = HomotopyScheduler(other, STAGES)
    assert parameters_of(other) == [1.5, 1.5]
    scheduler.restart()
    assert (parameters_of(other), parameters_of(network)) == ([0.5] * 2, [1.5] * 2)
    HomotopyScheduler(duplicate(other), STAGES).step()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copied_pair_with_a_path_goes_its_own_way(duplicate):
    network, scheduler = trained(path, 2)
    other, resumed = duplicate((network, scheduler))
    resumed.step()
    assert (parameters_of(network), parameters_of(other)) == ([1.2] * 2, [1.3] * 2)


def test_a_compiled_model_is_not_compiled_again_for_a_loaded_s_or_a_path():
    from torch._dynamo.testing import CompileCounterWithBackend

    torch.compiler.reset()
    network, counter, x = model(), CompileCounterWithBackend("eager"), torch.ones(3, 2)
    compiled = torch.compile(network, backend=counter)
    compiled(x).sum().backward()
    count = counter.frame_count
    compiled.load_state_dict(compiled.state_dict())
    scheduler = HomotopyScheduler(compiled, path)
    for _ in range(4):
        torch.testing.assert_close(compiled(x), network(x))
        compiled(x).sum().backward()
        scheduler.step()
    assert parameters_of(network) == [1.4, 1.4]
    assert counter.frame_count == count
