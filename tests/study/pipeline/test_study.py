import pytest
from studies import study

from hrta.study.pipeline.study import in_order


@pytest.fixture
def base(tmp_path):
    file = tmp_path / "base.yaml"
    file.write_text("a: 1\nb: {x: 1, y: 2}\nc: [1, 2]\n")
    return file


def test_keys_come_in_the_order_of_the_base_and_others_after_them(base):
    given = {"d": 0, "c": [3], "b": {"z": 0, "y": 5, "x": 4}, "a": 2}
    ordered = in_order(given, base)
    assert ordered == given
    assert list(ordered) == ["a", "b", "c", "d"]
    assert list(ordered["b"]) == ["x", "y", "z"]


def test_a_part_may_be_of_another_kind_than_in_the_base(base):
    assert in_order({"b": 3, "a": {"y": 1, "x": 2}}, base) == {"a": {"y": 1, "x": 2}, "b": 3}


def test_a_file_that_is_laid_over_leaves_the_first_method_first():
    smoke = study("smoke.yaml").settings
    assert smoke.baseline == study().settings.baseline == "relu"
    assert list(smoke.poisson.problems) == list(study().settings.poisson.problems)
    assert smoke.seeds.value == 4
