import json

import pytest

from hrta.study.config.mistakes import ConfigError
from hrta.study.config.yaml_files import check_files, read_yaml


def test_yaml_is_read_with_an_alias_of_what_has_none_inside():
    text = "a: &three {value: 3}\nb: *three\nc: [*three, 1e-3]\n"
    three = {"value": 3}
    assert read_yaml(text, "mine") == {"a": three, "b": three, "c": [three, "1e-3"]}


@pytest.mark.parametrize(
    ("text", "line", "key", "first"),
    [
        ("seeds: 1\ndtype: float32\nseeds: 2\n", 3, "seeds", 1),
        ("a:\n  b: {c: 1, c: 1}\n", 2, "c", 2),
        ("- {1: a,\n   1: b}\n", 2, "1", 1),
    ],
)
def test_a_key_that_is_given_twice_is_refused_with_its_line(text, line, key, first):
    with pytest.raises(ConfigError) as error:
        read_yaml(text, "mine.yaml")
    assert str(error.value) == (
        f"mine.yaml, line {line}: key {key} is given twice; first in line {first}"
    )


def test_keys_of_other_mappings_and_types_are_others():
    assert read_yaml("a: {x: 1}\nb: {x: 1, 1: 2, '1': 3}\n", "mine")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "a: &a [x, x]\nb: &b [*a, *a]\n",
        "a: &a [x, x]\nb: &b {c: [1, {d: *a}]}\n",
    ],
)
def test_aliases_that_can_expand_without_end_are_refused(text):
    with pytest.raises(ConfigError, match=r"^mine, line \d: \*a must not be inside of what has an"):
        read_yaml(text, "mine")


@pytest.mark.parametrize("text", ["a: [1", "\x00", "a: *none", "[" * 100_000, "&a " * 3])
def test_what_is_no_yaml_is_one_line(text):
    with pytest.raises(ConfigError, match=r"^mine[:,] ") as error:
        read_yaml(text, "mine")
    assert "\n" not in str(error.value)


def test_files_are_checked_with_their_names(tmp_path):
    (tmp_path / "tabs.json").write_text(json.dumps({"a": {"b": [1]}}, indent="\t"))
    check_files([tmp_path / "tabs.json"])
    (tmp_path / "twice.yaml").write_text("a: {ö: 1, ö: 2}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"twice\.yaml, line 1: key ö is given twice"):
        check_files([tmp_path / "tabs.json", tmp_path / "twice.yaml"])
