import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hrta.runtime.gpus import has_driver
from hrta.study.config.mistakes import ConfigError
from hrta.study.pipeline import machine
from hrta.study.pipeline.machine import (
    check_places,
    claim_folder,
    gpus,
    more_each_try,
    report_labels,
    shell_prefix,
    verbatim,
)


@pytest.fixture(autouse=True)
def _environment_is_put_back(monkeypatch):
    monkeypatch.setenv("PYTHONSAFEPATH", "")


@pytest.fixture
def state(tmp_path):
    """The state of a folder where a run has left its lock."""
    lock = tmp_path / "state/locks/0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("results/x.parquet\n")
    return tmp_path / "state"


@pytest.mark.parametrize("host", ["", socket.gethostname()])
def test_the_lock_of_a_run_that_was_killed_is_removed(state, host):
    (state / "running").write_text(host)
    presence = claim_folder(state)
    assert list((state / "locks").iterdir()) == []
    assert (state / "running").read_text() == socket.gethostname()
    presence.close()


def test_the_lock_of_another_host_stays(state):
    (state / "running").write_text("elsewhere")
    claim_folder(state).close()
    assert len(list((state / "locks").iterdir())) == 1
    assert (state / "running").read_text() == "elsewhere"


def test_the_lock_of_a_run_that_is_alive_stays(state):
    with (state / "running").open("a+") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        claim_folder(state).close()
        assert len(list((state / "locks").iterdir())) == 1


def test_a_new_folder_has_no_lock_and_is_claimed(tmp_path):
    presence = claim_folder(tmp_path / "state")
    assert (tmp_path / "state/running").read_text() == socket.gethostname()
    with (tmp_path / "state/running").open("a+") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    presence.close()


@pytest.mark.parametrize(
    ("device", "submitted", "usable", "expected"),
    [
        ("auto", False, True, 1),
        ("auto", False, False, 0),
        ("cpu", False, True, 0),
        ("cuda", False, True, 1),
        ("auto", True, True, 0),
        ("cuda", True, False, 1),
        ("cpu", True, True, 0),
    ],
)
def test_gpus_are_those_of_this_machine_or_asked_for(
    device, submitted, usable, expected, monkeypatch
):
    monkeypatch.setattr(machine, "_usable_gpu", lambda: usable)
    assert gpus(device, submitted) == expected


def test_a_gpu_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr(machine, "_usable_gpu", lambda: False)
    with pytest.raises(ConfigError, match=r"^config: device: 'cuda' given; there is no usable CUD"):
        gpus("cuda", submitted=False)


@pytest.mark.skipif(has_driver(), reason="there is a driver")
def test_without_a_driver_torch_is_not_asked(monkeypatch):
    monkeypatch.setattr(subprocess, "run", None)
    assert gpus("auto", submitted=False) == 0


@pytest.mark.parametrize(("gpu", "visible"), [(0, ""), (1, "7")])
def test_jobs_run_with_this_python_and_package_and_see_a_gpu_that_is_meant(gpu, visible, tmp_path):
    ask = (
        "import hrta, os, sys;"
        " print(hrta.__file__, sys.executable, os.environ['CUDA_VISIBLE_DEVICES'], sep='|')"
    )
    done = subprocess.run(
        ["bash", "-c", shell_prefix(gpu).format() + f'exec python -c "{ask}"'],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "CUDA_VISIBLE_DEVICES": "7", "PYTHONPATH": "/none"},
        capture_output=True,
        text=True,
        check=True,
    )
    package, python, seen = done.stdout.strip("\n").split("|")
    assert package == str(machine.HOME / "hrta/__init__.py")
    assert os.path.realpath(python) == os.path.realpath(sys.executable)
    assert seen == visible


def test_a_second_try_has_twice_as_much():
    memory = more_each_try(1000)
    assert [memory({}, attempt) for attempt in (1, 2, 3)] == [1000, 2000, 3000]


def test_modules_in_the_folder_of_the_run_are_not_imported(tmp_path):
    (tmp_path / "hrta").mkdir()
    for name in ("hrta/__init__", "numpy", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    command = shell_prefix(0).format() + "exec python -m hrta data sine1d --output points.parquet"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "points.parquet").exists()


def test_jobs_read_and_write_utf_8_whatever_the_locale_is(tmp_path):
    ask = "import locale, sys; print(locale.getpreferredencoding(), sys.stdout.encoding)"
    ascii_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        ["bash", "-c", shell_prefix(0).format() + f'exec python -c "{ask}"'],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **ascii_locale},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.lower().split() == ["utf-8", "utf-8"]


def test_braces_in_the_path_of_the_workflow_are_no_names(monkeypatch):
    monkeypatch.setattr(machine, "HOME", Path("/a{b}/{c"))
    assert "PYTHONPATH='/a{b}/{c';" in shell_prefix(0).format()


@pytest.mark.parametrize("run", ["a{b}", "plain"])
def test_a_path_with_braces_is_one_line(tmp_path, monkeypatch, run):
    for name in ("a{b}", "plain"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(machine, "HOME", tmp_path / {"a{b}": "plain", "plain": "a{b}"}[run])
    monkeypatch.chdir(tmp_path / run)
    with pytest.raises(SystemExit, match=r"^workflow: .*a\{b\}: a path must not have braces"):
        claim_folder(tmp_path / "state")


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SystemExit, match=r"^workflow: .*: a run must be able to write here: Not a"):
        claim_folder(tmp_path / "file/state")


@pytest.mark.parametrize("name", ["numpy.py", "json/__init__.py"])
def test_a_module_beside_the_package_that_jobs_would_import_is_one_line(
    tmp_path, monkeypatch, name
):
    monkeypatch.setattr(machine, "HOME", tmp_path)
    for file in ("hrta/__init__.py", "mine.py", "data/numpy.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    claim_folder(tmp_path / "state").close()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(
        SystemExit, match=r"^workflow: .*(numpy\.py|json): jobs would import it as "
    ):
        claim_folder(tmp_path / "state")


def test_a_file_in_the_place_of_a_folder_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_places(["results/runs/a.parquet", "figures/b.png"])
    Path("results").mkdir()
    Path("results/runs").touch()
    with pytest.raises(SystemExit, match=r"^workflow: results/runs: must be a folder; remove"):
        check_places(["results/runs/a.parquet", "figures/b.png"])


def test_braces_of_labels_are_no_wildcards():
    label = "$x^{2}$ {x}"
    assert verbatim(label)({}) == label
    assert report_labels(label, "a_curve") == {"item": "$x^(2)$ (x)", "shows": "a curve"}
