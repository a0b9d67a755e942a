"""The run of everything that needs a GPU, with parts that need none."""

import time

import gpu_run
import pytest
import torch
from gpu_run import Part

PASSING = Part("good part", "echo all well", 10)
FAILING = Part("bad part", "echo before; echo something broke >&2; exit 3", 10, quoted=False)
HANGING = Part("slow part", "sleep 60 & sleep 60", 1, quoted=False)


@pytest.fixture
def output(tmp_path, monkeypatch):
    """A GPU and a folder of its own."""
    monkeypatch.setattr(gpu_run, "OUTPUT", tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "H of the tests")
    return tmp_path


def test_one_part_that_fails_or_hangs_does_not_stop_the_others(output, monkeypatch):
    monkeypatch.setattr(gpu_run, "parts", lambda: [FAILING, HANGING, PASSING])
    started = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        gpu_run.main()
    assert ended.value.code == 1
    assert time.monotonic() - started < 30
    report = (output / "report.md").read_text()
    assert "H of the tests, torch " in report
    assert "| bad part | 0 | exit status 3 |" in report
    assert "| slow part | 1 | stopped after 1 s |" in report
    assert "| good part | 0 | passed |" in report
    # What failed is quoted, and what is to be read.
    assert "something broke" in report
    assert "all well" in report
    assert (output / "bad_part.log").read_text() == "before\nsomething broke\n"


def test_a_run_without_failures_ends_with_0(output, monkeypatch):
    absent = Part("check", "true", 10, program="no-such-program")
    monkeypatch.setattr(gpu_run, "parts", lambda: [PASSING, absent])
    with pytest.raises(SystemExit) as ended:
        gpu_run.main()
    assert not ended.value.code
    report = (output / "report.md").read_text()
    assert "| check | 0 | left out: it needs a program that is not there |" in report
    assert "no-such-program is not on the PATH" in report


def test_without_a_gpu_it_says_so_in_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="torch must find a CUDA GPU"):
        gpu_run.main()


def test_the_parts_take_25_minutes_at_most():
    assert sum(part.limit for part in gpu_run.parts()) <= 25 * 60
