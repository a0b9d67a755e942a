import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrta import Schedule, Stage

STAGES = st.lists(st.builds(Stage, st.floats(0, 2), st.integers(1, 50)), min_size=1, max_size=6)


@given(STAGES)
def test_every_step_belongs_to_the_stage_that_makes_it(stages):
    schedule = Schedule(stages)
    made_by = [number for number, stage in enumerate(stages, 1) for _ in range(stage.steps)]
    assert schedule.steps == len(made_by)
    assert [schedule.stage_at(step) for step in range(schedule.steps)] == made_by
    assert [schedule.s_at(step) for step in range(schedule.steps)] == [
        stages[number - 1].s for number in made_by
    ]
    assert schedule.stage_at(schedule.steps) == len(stages)
    assert list(schedule.switches) == [
        step for step in range(1, len(made_by)) if made_by[step] != made_by[step - 1]
    ]


@given(STAGES)
def test_equal_stages_make_equal_schedules(stages):
    assert Schedule(stages) == Schedule(tuple(stages))
    assert hash(Schedule(stages)) == hash(Schedule(tuple(stages)))


def test_linear_raises_s_by_zeta():
    schedule = Schedule.linear(start=0.5, zeta=0.25, stages=4, steps=10)
    assert [stage.s for stage in schedule.stages] == [0.5, 0.75, 1.0, 1.25]
    assert schedule.steps == 40


@given(st.integers(0, 20), st.integers(0, 20), st.integers(2, 400))
def test_linear_reaches_both_ends_of_the_range_whatever_is_rounded(start, end, stages):
    zeta = (end / 10 - start / 10) / (stages - 1)
    schedule = Schedule.linear(start / 10, zeta, stages, 1)
    expected = np.linspace(start / 10, end / 10, stages)
    # Each value has the rounding of a quotient, a product and a sum, of size 2 at most.
    np.testing.assert_allclose([stage.s for stage in schedule.stages], expected, atol=4e-15, rtol=0)


def test_rounding_does_not_leave_the_range():
    assert 0.3 + 3 * -0.1 < 0
    assert Schedule.linear(0.3, -0.1, 4, 1).stages[-1].s == 0
    assert 0.2 + 7 * (1.8 / 7) > 2
    assert Schedule.linear(0.2, 1.8 / 7, 8, 1).stages[-1].s == 2


@given(st.floats(0, 2), st.floats(0, 2), st.integers(2, 60))
def test_cosine_is_half_a_period_from_start_to_end(start, end, stages):
    schedule = Schedule.cosine(start, end, stages, 7)
    s = np.array([stage.s for stage in schedule.stages])
    assert (s[0], s[-1], schedule.steps) == (start, end, 7 * stages)
    angles = np.linspace(0, math.pi, stages)
    # Rounding of a cosine and two products, of size 2 at most.
    np.testing.assert_allclose(
        s, (start + end) / 2 + (start - end) / 2 * np.cos(angles), atol=4e-15
    )


@pytest.mark.parametrize("path", [Schedule.linear, Schedule.cosine])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, 0.1, 0, 10), "schedule: stages must be a positive integer; it is 0"),
        ((1.0, 0.1, 1.5, 10), "schedule: stages must be a positive integer; it is 1.5"),
        ((1.0, 0.1, None, 10), "schedule: stages must be a positive integer; it is None"),
        ((1.0, 0.1, 3, 0), "stage: steps must be a positive integer; it is 0"),
        (("low", 0.1, 3, 10), "schedule: start must be a number; it is 'low'"),
        ((None, 0.1, 3, 10), "schedule: start must be a number; it is None"),
        ((1.0, math.nan, 3, 10), "schedule: (zeta|end) must be a number; it is nan"),
        ((1.0, math.inf, 3, 10), "schedule: (zeta|end) must be a number; it is inf"),
        ((2.5, 0.1, 3, 10), r"stage: s must be in \[0, 2\]; it is 2.5"),
        ((1.0, 2.0 + 1e-9, 3, 10), r"stage: s must be in \[0, 2\]; it is [23].000000001"),
    ],
)
def test_paths_refuse_what_is_no_path(path, arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        path(*arguments)


def test_a_cosine_of_one_stage_is_refused():
    with pytest.raises(ValueError, match="a cosine path must have at least 2 stages; it has 1"):
        Schedule.cosine(1.0, 1.5, 1, 10)


def test_the_text_of_a_schedule_is_short():
    assert str(Schedule([Stage(1, 3), Stage(1.5, 4)])) == "s = 1 for 3 steps, s = 1.5 for 4 steps"
    text = "1000 stages from s = 1 to 1.5, 3000 steps"
    assert str(Schedule.cosine(1.0, 1.5, 1000, 3)) == text


@given(st.lists(st.floats(0, 2), min_size=1, max_size=9), st.integers(0, 40))
def test_equal_parts_differ_by_a_step_at_most(s, more):
    schedule = Schedule.equal_parts(s, len(s) + more)
    lengths = [stage.steps for stage in schedule.stages]
    assert schedule.steps == len(s) + more
    assert max(lengths) - min(lengths) <= 1
    assert [stage.s for stage in schedule.stages] == s


def test_fewer_steps_than_stages_are_refused():
    with pytest.raises(ValueError, match="steps must be at least 3, one for each stage; it is 2"):
        Schedule.equal_parts([1, 1.5, 2], 2)


@pytest.mark.parametrize("s", [-0.01, 2.01, float("nan"), None, "much"])
def test_stage_refuses_s_outside_its_range(s):
    with pytest.raises(ValueError, match=rf"stage: s must be in \[0, 2\]; it is {s!r}"):
        Stage(s, 1)


@pytest.mark.parametrize("steps", [0, -1, 1.5, float("inf"), float("nan"), None, "many"])
def test_stage_refuses_no_steps(steps):
    with pytest.raises(ValueError, match="must be a positive integer"):
        Stage(1, steps)


def test_schedule_refuses_no_stage_and_steps_outside():
    with pytest.raises(ValueError, match="at least one stage"):
        Schedule([])
    with pytest.raises(ValueError, match=r"stages must be several hrta\.Stage; it is 3"):
        Schedule(3)
    with pytest.raises(ValueError, match=r"step must be an integer in \[0, 3\]; it is 4"):
        Schedule([Stage(1, 3)]).stage_at(4)


def test_only_stages_make_a_schedule():
    with pytest.raises(ValueError, match=r"every stage must be an hrta.Stage"):
        Schedule([(1, 5)])
