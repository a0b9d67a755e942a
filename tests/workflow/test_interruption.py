"""Killed in the middle and started again, a run finishes as if nothing had happened."""

import subprocess
import time

import psutil
import pytest
from checkout import Checkout

TARGET = "results/runs/sine1d/adam/width32.parquet"
STEPS = 4000


def lengthen(checkout, steps=STEPS):
    """Let training take long enough to be interrupted."""
    config = f"training:\n  stage_steps: {{value: {steps}, source: ours}}\n"
    (checkout.folder / "longer.yaml").write_text(config)


def start(checkout):
    """Snakemake in the background, and the training job once that has begun to train."""
    command = ["snakemake", "--cores", "2", "--configfile", "config/smoke.yaml", "longer.yaml"]
    process = subprocess.Popen(
        [*command, "--", TARGET],
        cwd=checkout.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log = checkout.folder / "logs/runs/sine1d/adam/width32.log"
    log.unlink(missing_ok=True)
    while not (log.exists() and "width 32: " in log.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    (job,) = [
        child for child in psutil.Process(process.pid).children(True) if "hrta" in child.cmdline()
    ]
    return process, job


def finish(checkout):
    return checkout.snakemake(TARGET, config=("config/smoke.yaml", "longer.yaml"))


def leftovers(checkout):
    """Half-written results, and outputs that Snakemake takes for incomplete."""
    hidden = (checkout.folder / "results").rglob(".*")
    return [*hidden, *(checkout.folder / ".snakemake/incomplete").glob("*")]


@pytest.fixture
def expected(tmp_path_factory):
    """What an undisturbed run gives."""
    undisturbed = Checkout(tmp_path_factory.mktemp("undisturbed"))
    lengthen(undisturbed)
    assert finish(undisturbed).returncode == 0
    return undisturbed.files()


def test_after_kill_9_the_same_command_finishes_with_the_same_numbers(checkout, expected):
    lengthen(checkout)
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


def test_a_running_replication_is_not_disturbed_by_a_second(checkout):
    lengthen(checkout, steps=10**6)
    process, job = start(checkout)
    second = finish(checkout)
    assert second.returncode != 0
    assert "cannot be locked" in second.stderr + second.stdout
    assert process.poll() is None
    assert job.is_running()
    process.kill()
    process.wait()
    job.wait(timeout=10)
