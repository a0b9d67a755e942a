"""The run on a real Slurm: skipped in one line where there is none; else for those who ask."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import toy_slurm

SCRIPT = Path(__file__).with_name("run.py")


def test_without_slurm_it_is_skipped_in_one_line(tmp_path):
    nowhere = os.environ | {"PATH": str(tmp_path), "PYTHONPATH": str(SCRIPT.parents[2])}
    command = [sys.executable, SCRIPT]
    done = subprocess.run(command, env=nowhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("skipped: slurmctld, slurmd, munged, sbatch, squeue not found")
    assert done.stdout.count("\n") == 1


def test_a_slurm_of_the_machines_own_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(toy_slurm, "SETTINGS", tmp_path)
    monkeypatch.setattr(toy_slurm, "PROGRAMS", ("python",))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert toy_slurm.missing() is None
    (tmp_path / "slurm.conf").write_text("ClusterName=ours\n")
    assert "this machine has a Slurm of its own" in toy_slurm.missing()


@pytest.mark.skipif("SLURM" not in os.environ, reason="takes minutes: SLURM=1 asks for it")
@pytest.mark.skipif(toy_slurm.missing() is not None, reason=str(toy_slurm.missing()))
def test_jobs_on_a_real_slurm_have_the_same_results():
    done = subprocess.run([sys.executable, SCRIPT, "figure_sine1d"], check=False)
    assert done.returncode == 0
