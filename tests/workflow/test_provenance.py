"""What the real DAG records of itself."""

import json
import subprocess
import sys
import zipfile

import pytest
from crate_validation import issues
from studies import study

from hrta.runtime.files import sha256
from hrta.study.pipeline.manifest import PLACE, read_manifest
from hrta.study.pipeline.profile import BENCHMARKS, RECORDING, critical_path, tasks_of

MADE = ("data", "figures", "tables", "results", "notebooks/executed")
# Made from the manifest, or recorded in it otherwise.
BESIDE = ("results/manifest", "results/benchmarks", "results/crate.zip")


def made(folder):
    """All files that the run has made."""
    files = [path for top in MADE for path in (folder / top).rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix() for path in files}
    return {name for name in names if not name.startswith(BESIDE)}


def test_the_manifest_has_all_that_the_run_made(replicated):
    manifest = read_manifest(replicated.made / PLACE)
    assert made(replicated.made) <= set(manifest.artifacts)
    for path, artifact in manifest.artifacts.items():
        assert artifact.sha256 == sha256(replicated.made / path)
        assert not artifact.newer
    assert all(job.benchmark for job in manifest.jobs)
    for rule in RECORDING:
        assert (replicated.made / BENCHMARKS / f"{rule}.tsv").is_file()


def test_every_job_has_its_command_times_and_inputs(replicated):
    manifest = read_manifest(replicated.made / PLACE)
    assert {"train", "data", "race", "figure_sine1d"} <= {job.rule for job in manifest.jobs}
    for job in manifest.jobs:
        assert job.command
        assert job.started <= job.ended <= manifest.made
        for path, digest in job.inputs.items():
            assert digest == sha256(replicated.made / path), path
    (trained,) = [
        job for job in manifest.jobs if job.outputs[0].endswith("sine1d/adam/width8.parquet")
    ]
    assert {"../../hrta/training/trainer.py", "data/sine1d.parquet"} < set(trained.inputs)
    assert trained.result["spec"]["seeds"] == 4
    assert set(manifest.configuration) == {
        "../../config/replication.yaml",
        "../../config/smoke.yaml",
    }


def test_what_an_item_was_configured_with_are_the_specs_beside_its_results(replicated):
    manifest = read_manifest(replicated.made / PLACE)
    for name, item in study("smoke.yaml").items.items():
        specs = manifest.specs_behind(item.files[0])
        files = [f"results/{result}.json" for result in specs]
        records = {file: json.loads((replicated.made / file).read_text()) for file in files}
        assert [record["spec"] for record in records.values()] == list(specs.values()), name
        made = {file.removesuffix(".parquet") for file in item.results}
        assert {f"results/{result}" for result in specs} <= made | {
            file.removesuffix(end) for file in made for end in ("_tuning", "_solutions")
        }
        assert bool(specs) == bool(item.results)
    motion = manifest.specs_behind("figures/motion.png")
    assert not any("decay" in spec for spec in motion.values())
    assert all("decay" in spec for spec in manifest.specs_behind("figures/sine1d.png").values())


def test_a_partial_rerun_is_recorded_and_the_rest_stays(replicated):
    before = read_manifest(replicated.made / PLACE)
    (replicated.made / "figures/activations.png").unlink()
    done = replicated.snakemake()
    assert done.returncode == 0, done.stderr
    after = read_manifest(replicated.made / PLACE)
    assert list(after.artifacts) == list(before.artifacts)
    remade = {
        new.rule for old, new in zip(before.jobs, after.jobs, strict=True) if new.ended != old.ended
    }
    assert remade == {"figure_activations"}
    assert replicated.planned() == {}


def test_the_profile_counts_every_job(replicated):
    manifest = read_manifest(replicated.made / PLACE)
    tasks = tasks_of(manifest, replicated.made)
    assert len(tasks) == len(manifest.jobs) + len(RECORDING)
    assert sum(task.total > 0 for task in tasks) >= len(tasks) - 1  # one only writes JSON
    results = [task for task in tasks if task.name.startswith("results/runs/")]
    assert all(0 < task.work < task.total and task.priority > 0 for task in results)
    assert [task.name for task in critical_path(tasks)][-2:-1] == ["manifest"]
    command = [sys.executable, "-m", "hrta", "profile", str(replicated.made / PLACE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Without" not in done.stdout
    assert "Not counted" not in done.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("figures/sine1d.png", "train, data"),
        ("figures/sine1d.pdf", "train, data"),
        ("data/wine.parquet", '"name":"wine"'),
    ],
)
def test_any_file_says_how_it_came_to_be(replicated, name, words):
    command = [sys.executable, "-m", "hrta", "info", str(replicated.made / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "as it was made" in done.stdout
    assert "all as they were then" in done.stdout
    assert words in done.stdout


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")
def test_the_crate_is_valid_and_has_everything(replicated, tmp_path):
    done = replicated.snakemake("crate")
    assert done.returncode == 0, done.stderr
    crate = replicated.made / "results/crate.zip"
    with zipfile.ZipFile(crate) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    code = {
        "Snakefile",
        "LICENSE",
        "hrta/ntk/matrices.py",
        "config/smoke.yaml",
        "profiles/default/config.yaml",
    }
    assert made(replicated.made) | code <= names
    assert not any("__pycache__" in name or name.startswith(("logs", ".")) for name in names)
    assert issues(crate, "provenance-run-crate", tmp_path / "http") == []
    description = replicated.made / "results/manifest/ro-crate-metadata.json"
    graph = json.loads(description.read_text())["@graph"]
    described = {each["@id"] for each in graph if "File" in each["@type"]}
    assert described <= names
