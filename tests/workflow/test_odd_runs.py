"""Odd configurations and folders: planning works, or ends in one line; `make attack` runs more."""

import pytest

LABELS = "experiments: {sine1d: {label: '$x^{2}$ {x} |x| <script>alert(1)</script>'}}\n"


def refused(checkout, *targets, config):
    """What a dry run says that must end."""
    done = checkout.snakemake(*targets, options=("--dry-run",), config=config)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


def test_a_label_may_have_any_signs(checkout):
    (checkout.folder / "labels.yaml").write_text(LABELS)
    planned = checkout.planned(config=("config/smoke.yaml", "labels.yaml"))
    assert planned["figure_sine1d"] == planned["report"] == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("seeds: 3\nseeds: 4\n", "odd.yaml, line 2: key seeds is given twice; first in line 1"),
        ("a: &a {b: 1}\nc: &c {d: *a, e: *a}\n", "odd.yaml, line 2: *a must not be inside of what"),
        ("a: &a {b: *a}\n", "odd.yaml, line 1: *a must not be inside of what has an anchor"),
    ],
)
def test_yaml_that_says_something_else_than_it_seems_is_one_line(checkout, text, line):
    (checkout.folder / "odd.yaml").write_text(text)
    said = refused(checkout, config=("config/smoke.yaml", "odd.yaml"))
    assert line in said[-1]


def test_a_file_in_the_place_of_a_folder_is_one_line(checkout):
    (checkout.folder / "results").mkdir()
    (checkout.folder / "results/runs").touch()
    said = refused(checkout, config=("config/smoke.yaml",))
    assert said[-1] == "workflow: results/runs: must be a folder; remove this file or rename it"


def test_planning_needs_no_home_folder_and_no_utf_8(checkout):
    environment = {"HOME": "/dev/null/none", "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": ""}
    environment |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = checkout.snakemake("paper", options=("--dry-run",), environment=environment)
    assert done.returncode == 0, done.stderr
