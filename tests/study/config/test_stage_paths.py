import pytest
from pydantic import ValidationError

from hrta import Plateau, Stage
from hrta.study.config.stage_paths import StagePath


def stages(steps=10, **path):
    return list(StagePath(**path).schedule(steps).stages)


def test_a_path_is_as_many_steps_in_stages():
    assert stages(s=[1.5]) == [Stage(1.5, 10)]
    assert stages(s=[0.5, 1]) == [Stage(0.5, 5), Stage(1, 5)]
    assert stages(s=[1, 2], stages=3) == [Stage(1, 3), Stage(1.5, 3), Stage(2, 4)]
    assert stages(s=[1, 1.5], switch=0.1) == [Stage(1, 1), Stage(1.5, 9)]
    assert stages(s=[1, 1.5], switch=0.999) == [Stage(1, 9), Stage(1.5, 1)]


def test_stages_and_rule_are_told():
    assert StagePath(s=[1, 2], stages=5).stage_count == 5
    assert StagePath(s=[0.5, 1, 1.5]).stage_count == 3
    assert StagePath(s=[1]).rule is None
    plateau = {"patience": 3, "threshold": 0.1}
    assert StagePath(s=[1, 2], plateau=plateau).rule == Plateau(3, 0.1)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ({"s": []}, "at least 1 item"),
        ({"s": [1, 3]}, "less than or equal to 2"),
        ({"s": [1], "stages": 3}, "s must have two values, the first and the last"),
        ({"s": [1, 2], "stages": 1}, "greater than or equal to 2"),
        ({"s": [1, 1.2, 1.5], "switch": 0.2}, "s must have two values"),
        ({"s": [1, 1.5], "switch": 1}, "less than 1"),
        ({"s": [1, 1.5], "switch": 0.2, "stages": 2}, "switch cannot be combined with stages"),
        ({"s": [1], "reset_optimizer": True}, "need a second stage"),
        ({"s": [1, 0], "preserve_function": True}, "a switch to s = 0 cannot preserve"),
        ({"s": [1, 2], "plateau": {"patience": 0, "threshold": 0}}, "greater than or equal to 1"),
        ({"s": [1, 2], "zeta": 0.1}, "unknown key; allowed are s, stages, switch, plateau"),
    ],
)
def test_what_makes_no_path_is_refused(path, message):
    with pytest.raises(ValidationError, match=message):
        StagePath(**path)


def test_too_few_steps_are_refused():
    with pytest.raises(ValueError, match="steps must be at least 5, one for each stage; it is 4"):
        stages(4, s=[1, 2], stages=5)
