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
    with pytest.raises(ValueError, match=rf"stage: s must be in \[0, 2\]; it is {s}"):
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
    with pytest.raises(ValueError, match=r"step must be in \[0, 3\]; it is 4"):
        Schedule([Stage(1, 3)]).stage_at(4)


def test_only_stages_make_a_schedule():
    with pytest.raises(ValueError, match=r"every stage must be an hrta.Stage"):
        Schedule([(1, 5)])
