"""The profiles for other machines, and what a folder's lock means there."""

import os
import re
import shutil
import socket
import sys
from collections import Counter
from pathlib import Path

import pytest
from checkout import ROOT

SLURM, GPU = ("--profile", "profiles/slurm"), ("--profile", "profiles/gpu")
PROBLEM = "data/sine1d.parquet"
no_gpu = pytest.mark.skipif(bool(shutil.which("nvidia-smi")), reason="there may be a GPU")


def rules():
    """The text of every rule that submits something, that of its base included, by its name."""
    found = {}
    for file in sorted((ROOT / "workflow/rules").glob("*.smk")):
        heading = r"^ *(?:use rule (\w+) as (\w+) with|rule ?(\w*)):"
        parts = re.split(heading, file.read_text(), flags=re.MULTILINE)[1:]
        for base, derived, own, text in zip(*(parts[i::4] for i in range(4)), strict=True):
            name = derived or own or f"in a loop of {file.stem}"
            # What a derived rule says itself comes first.
            found[name] = text + (found[base] if base else "")
    runs = r"^ +(shell|script|run|notebook):"
    return {
        name: text
        for name, text in found.items()
        if re.search(runs, text, flags=re.MULTILINE) and "localrule: True" not in text
    }


RULES = rules()


def test_the_rules_are_found():
    assert {"data", "spectra", "train", "race", "manifest", "crate", "report"} <= set(RULES)
    assert {"in a loop of theory", "in a loop of notebooks"} <= set(RULES)
    assert len(RULES) == 17


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_says_what_it_needs_and_with_what_it_is_submitted(rule):
    resources = re.search(r"resources:\n((?: +\w+=.*\n)+)", RULES[rule])[1]
    assert re.search(r"\bmem_mb=more_each_try\(", resources)
    assert re.search(r"\bruntime=more_each_try\(", resources)
    group = re.search(r'group:\s+"(\w+)"', RULES[rule])[1]
    components = (ROOT / "profiles/slurm/config.yaml").read_text()
    assert re.search(rf"^  {group}: \d+$", components, flags=re.MULTILINE), group


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_benchmark(rule):
    assert re.search(r'benchmark:\n +f?"results/benchmarks/.*\.tsv"\n', RULES[rule])


def submissions(checkout, *targets):
    """How many groups of each name a dry run would submit, where there is no Slurm."""
    done = checkout.snakemake(*targets, options=(*SLURM, "--dry-run"))
    assert done.returncode == 0, done.stderr
    assert "Group jobs: inactive" not in done.stdout + done.stderr
    return Counter(re.findall(r"Group job (\w+) \(", done.stdout + done.stderr))


def test_short_jobs_are_submitted_together(checkout, monkeypatch):
    # What is not on this PATH is Slurm: a dry run needs none.
    programs = checkout.folder / "programs"
    programs.mkdir()
    for name in ("which", "bash"):
        (programs / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{programs}")
    assert shutil.which("sinfo") is None
    planned = submissions(checkout, "figure_sine1d", "table_jumps", "figure_spectra")
    # 3 problems, 12 ensembles, 3 spectra and 3 tables of jumps, 3 notebooks
    assert planned == {"data": 1, "train": 4, "theory": 1, "notebooks": 1}


def test_the_whole_replication_is_a_few_dozen_submissions(checkout):
    done = checkout.snakemake(
        options=(*SLURM, "--dry-run", "--quiet", "rules"), config=("config/replication.yaml",)
    )
    jobs = int(re.findall(r"^total +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE)[0])
    planned = submissions(checkout)
    assert set(planned) >= {"data", "train", "theory", "siblings", "race", "poisson", "notebooks"}
    assert sum(planned.values()) < jobs / 3


def test_a_sweep_is_planned_with_the_report_of_it(checkout):
    planned = checkout.planned("sweep", config=("config/sweep.yaml",))
    assert planned["sweep_batch"] == 20
    everything = checkout.planned(config=("config/sweep.yaml",))
    assert everything["figure_sweep"] == everything["report"] == 1


@no_gpu
def test_whether_there_is_a_gpu_is_for_the_submitted_job_to_find_out(checkout):
    on_cuda = ("--config", "device=cuda", "--dry-run")
    assert checkout.snakemake("figure_sine1d", options=(*SLURM, *on_cuda)).returncode == 0
    here = checkout.snakemake("figure_sine1d", options=on_cuda)
    assert here.returncode != 0
    assert "there is no usable CUDA GPU here" in here.stderr


@no_gpu
def test_the_profile_of_a_gpu_workstation_asks_for_its_gpu(checkout):
    refused = checkout.snakemake("figure_sine1d", options=(*GPU, "--dry-run"))
    assert refused.returncode != 0
    assert "config: device: 'cuda' given; there is no usable CUDA GPU here" in refused.stderr
    done = checkout.snakemake(PROBLEM, options=(*GPU, "--config", "device=cpu"))
    assert done.returncode == 0, done.stderr
    provided = re.search(r"Provided resources: (.*)", done.stdout + done.stderr)[1]
    provided = dict(re.findall(r"(\w+)=\D*(\d+)", provided))
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    assert provided == {"gpu": "1", "mem_mb": str(total)}


def test_a_lock_counts_where_the_last_run_was_on_another_host(checkout):
    state = checkout.folder / ".snakemake"
    lock = state / "locks/0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(f"{PROBLEM}\n")
    (state / "running").write_text("elsewhere")
    refused = checkout.snakemake(PROBLEM)
    assert refused.returncode != 0
    assert "cannot be locked" in refused.stderr + refused.stdout
    assert lock.exists()
    (state / "running").write_text(socket.gethostname())
    done = checkout.snakemake(PROBLEM)
    assert done.returncode == 0, done.stderr
    assert not lock.exists()
    assert (state / "running").read_text() == socket.gethostname()
