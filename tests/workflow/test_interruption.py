"""Killed in the middle and started again, a run finishes as if nothing had happened."""

import subprocess
import time

import psutil
import pytest

TARGET = "results/runs/sine1d/adam/width32.parquet"
LONGER = """training:
  stage_steps: {value: 4000, source: ours}
"""


def start(checkout, *options):
    """Snakemake in the background, and the training job once that has begun to train."""
    command = ["snakemake", "--cores", "2", "--configfile", "config/smoke.yaml", "longer.yaml"]
    process = subprocess.Popen(
        [*command, *options, "--", TARGET],
        cwd=checkout.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = checkout.folder / "logs/train/sine1d/adam/width32.log"
    log.unlink(missing_ok=True)
    while not (log.exists() and ": 800 of 8000" in log.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    (job,) = [
        child for child in psutil.Process(process.pid).children(True) if "train" in child.cmdline()
    ]
    return process, job


def finish(checkout):
    return checkout.snakemake("--configfile", "config/smoke.yaml", "longer.yaml", "--", TARGET)


def leftovers(checkout):
    hidden = [path for path in (checkout.folder / "results").rglob(".*") if path.is_file()]
    incomplete = [p for p in (checkout.folder / ".snakemake/incomplete").glob("*") if p.is_file()]
    return hidden + incomplete


@pytest.fixture
def interrupted(checkout, tmp_path_factory):
    """A checkout with a longer training, and what an undisturbed run of it gives."""
    undisturbed = type(checkout)(tmp_path_factory.mktemp("undisturbed"))
    for each in (checkout, undisturbed):
        (each.folder / "longer.yaml").write_text(LONGER)
    assert finish(undisturbed).returncode == 0
    return checkout, undisturbed.files()


def test_after_kill_9_the_same_command_finishes_with_the_same_numbers(interrupted):
    checkout, expected = interrupted
    process, orphan = start(checkout)
    process.kill()
    process.wait()
    again, job = start(checkout)  # at once, while the orphan may still be alive
    job.kill()
    assert again.wait() != 0
    assert not (checkout.folder / TARGET).exists()
    done = finish(checkout)
    assert done.returncode == 0, done.stderr
    assert checkout.files() == expected
    assert leftovers(checkout) == []
    assert not orphan.is_running()


def test_a_running_replication_is_not_disturbed_by_a_second(interrupted):
    checkout, expected = interrupted
    process, _ = start(checkout)
    second = finish(checkout)
    assert second.returncode != 0
    assert "cannot be locked" in second.stderr + second.stdout
    assert process.wait() == 0
    assert checkout.files() == expected
