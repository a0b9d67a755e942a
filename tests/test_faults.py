"""Full disks, folders that cannot be written to, results cut short: one line, and nothing lost."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from command_line import without_announcement

TRAIN = "train --problem sine1d --points 10 --test-points 4 --width 8 --stage-steps 400 --seeds 9"
TRAIN += " --log-every 1 --output runs.parquet"

CLAIMS = Path(__file__).parents[1] / "config/claims.yaml"
RACE = "race methods.yaml --problem sine1d"
RACE += " --width 4 --evaluations 5 --seeds 2 --tuning-seeds 1 --output runs.parquet"


def hrta(line, folder, **options):
    command = [sys.executable, "-m", "hrta", *line.split()]
    options = {"capture_output": True, "text": True, "check": False, "cwd": folder} | options
    return subprocess.run(command, **options)


def the_line(done):
    """What a failed command says, which must be one line, besides how far it was."""
    assert done.returncode == 1
    lines = without_announcement(done.stderr)
    said = [line for line in lines if " of " not in line or "hrta" in line]
    assert len(said) == 1, done.stderr
    assert said[0].startswith("hrta: ")
    return said[0]


def small_files():
    """No file of this process may grow beyond 20 kB: what a full disk looks like to it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.fixture
def full_disk(tmp_path):
    """A disk of 64 kB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a disk, and not everywhere")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_ends_in_one_line_and_keeps_what_was_there(full_disk):
    (full_disk / "runs.parquet").write_bytes(b"earlier")
    line = the_line(hrta(TRAIN, full_disk))
    assert "runs.parquet: cannot be written: " in line
    assert "space" in line
    assert [path.name for path in full_disk.iterdir()] == ["runs.parquet"]
    assert (full_disk / "runs.parquet").read_bytes() == b"earlier"


def test_a_full_disk_leaves_the_last_whole_checkpoint(full_disk):
    wide = TRAIN.replace("--width 8", "--width 4000")
    line = the_line(hrta(f"{wide} --checkpoint state.npz", full_disk))
    assert "state.npz: cannot be written: " in line
    assert list(full_disk.iterdir()) == []


def test_a_file_that_may_not_grow_is_not_left_half_written(tmp_path):
    line = the_line(hrta(TRAIN, tmp_path, preexec_fn=small_files))
    assert "runs.parquet: cannot be written: " in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--output file/runs.parquet", "--checkpoint file/state.npz"])
def test_what_cannot_be_written_is_said_before_the_work(tmp_path, option):
    (tmp_path / "file").write_text("no folder")
    others = TRAIN.replace("--output runs.parquet", "") if "--output" in option else TRAIN
    line = the_line(hrta(f"{others} {option}", tmp_path))
    assert option in line
    assert "is not a writable folder" in line


def test_a_read_only_folder_is_said_before_the_work(full_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(full_disk)], check=True)
    assert "is not a writable folder" in the_line(hrta(TRAIN, full_disk))


@pytest.mark.parametrize("part", [0, 0.5, 0.99])
@pytest.mark.parametrize("command", ["train --problem", "ntk --s 1 --problem", "anmin --problem"])
def test_a_problem_cut_short_is_refused(tmp_path, command, part):
    assert hrta("data sine1d --output points.parquet", tmp_path).returncode == 0
    file = tmp_path / "points.parquet"
    file.write_bytes(file.read_bytes()[: int(part * file.stat().st_size)])
    line = the_line(hrta(f"{command} points.parquet --output result.parquet", tmp_path))
    assert "points.parquet: not a readable result" in line
    assert not (tmp_path / "result.parquet").exists()


def test_results_cut_short_are_refused(tmp_path):
    assert hrta(TRAIN, tmp_path).returncode == 0
    file = tmp_path / "runs.parquet"
    assert hrta("evidence final_losses runs.parquet --output e.parquet", tmp_path).returncode == 0
    kept = pd.read_parquet(tmp_path / "e.parquet")
    file.write_bytes(file.read_bytes()[:-100])
    line = the_line(hrta("evidence final_losses runs.parquet --output e.parquet", tmp_path))
    assert "runs.parquet: not a readable result" in line
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "e.parquet"), kept)


@pytest.mark.parametrize("what", ["result", "data", "evidence"])
def test_a_job_of_the_workflow_marks_an_input_that_is_broken(tmp_path, what):
    name, command = {
        "result": ("runs.parquet", "evidence final_losses runs.parquet --output e.parquet"),
        "data": ("points.parquet", "run spec.json --output runs.parquet"),
        "evidence": ("final_losses.parquet", f"claims . --claims {CLAIMS} --output claims"),
    }[what]
    source = {"source": "sampled", "name": "sine1d", "file": "points.parquet"}
    spec = {"job": "spectra", "experiment": "mine", "problem": source, "s": [1], "widths": []}
    (tmp_path / "spec.json").write_text(json.dumps(spec | {"seeds": 1}))
    (tmp_path / name).write_bytes(b"garbage")
    line = the_line(hrta(command, tmp_path))
    assert f"{name}: not a readable result (" in line
    assert (tmp_path / name).exists()
    assert not (tmp_path / ".snakemake").exists()
    line = the_line(hrta(f"{command} --mark-broken", tmp_path))
    assert line.endswith("; the same snakemake command makes it anew")
    assert len(list((tmp_path / ".snakemake/incomplete").iterdir())) == 1


def test_a_checkpoint_of_another_training_is_refused_and_kept(tmp_path):
    from hrta.runtime.checkpoints import Checkpoint

    Checkpoint(tmp_path / "state.npz", {"stages": []}).offer(dict)
    before = (tmp_path / "state.npz").read_bytes()
    line = the_line(hrta(f"{TRAIN} --checkpoint state.npz", tmp_path))
    assert "state.npz: the checkpoint belongs to another computation: " in line
    assert (tmp_path / "state.npz").read_bytes() == before
    assert not (tmp_path / "runs.parquet").exists()


@pytest.mark.parametrize("content", [b"", b"PK and no more", None])
@pytest.mark.parametrize("command", ["train", "race"])
def test_a_broken_checkpoint_is_renamed_and_the_job_begins_again(tmp_path, command, content):
    from hrta.runtime.checkpoints import Checkpoint

    (tmp_path / "methods.yaml").write_text(
        "mine: {method: {trainer: gradient, optimizer: adam, s: [1]}, grid: {learning_rate: [0.1]}}"
    )
    line = {"train": TRAIN, "race": RACE}[command]
    assert hrta(line.replace("runs.", "other."), tmp_path).returncode == 0
    if content is None:
        Checkpoint(tmp_path / "state.npz", {}).offer(dict)
        content = (tmp_path / "state.npz").read_bytes()[:-30]
    (tmp_path / "state.npz").write_bytes(content)
    done = hrta(f"{line} --checkpoint state.npz", tmp_path)
    assert done.returncode == 0, done.stderr
    (said,) = [line for line in done.stderr.splitlines() if "state.npz" in line]
    assert said.startswith("hrta: state.npz: not a complete checkpoint (")
    assert said.endswith("; renamed state.npz.broken, starting again")
    assert (tmp_path / "state.npz.broken").read_bytes() == content
    assert not (tmp_path / "state.npz").exists()
    tables = [pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("runs", "other")]
    first, second = (table.drop(columns="seconds", errors="ignore") for table in tables)
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_job_of_the_workflow_replaces_the_checkpoint_of_another_version(tmp_path):
    from hrta.runtime.checkpoints import Checkpoint

    assert hrta(TRAIN, tmp_path).returncode == 0
    spec = json.loads((tmp_path / "runs.json").read_text())["spec"]
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    Checkpoint(tmp_path / "state.npz", {"stages": []}).offer(dict)
    done = hrta("run spec.json --output runs.parquet --checkpoint state.npz", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the checkpoint belongs to another computation" in done.stderr
    assert "; renamed state.npz.broken, starting again" in done.stderr


def test_a_checkpoint_without_an_output_is_a_mistake(tmp_path):
    line = TRAIN.replace(" --output runs.parquet", " --checkpoint state.npz")
    assert "needs --output" in the_line(hrta(line, tmp_path))
