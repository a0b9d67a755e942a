import json
import os
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version

import pytest
from small_run import JOBS, LARGE, RECORD, write_manifest

from hrta.runtime.files import sha256
from hrta.study.pipeline.manifest import PLACE, find_manifest, folder_of, read_manifest

SOURCES = {"source.py", "large.bin"}


def test_every_artifact_has_its_hash_size_and_job(small_run):
    manifest = read_manifest(small_run / PLACE)
    made = [output for job in JOBS for output in job["outputs"]]
    assert sorted(manifest.artifacts) == sorted(made)
    for path, artifact in manifest.artifacts.items():
        assert artifact.sha256 == sha256(small_run / path)
        assert artifact.size == (small_run / path).stat().st_size
        assert path in manifest.jobs[artifact.job].outputs
        assert not artifact.newer


def test_a_job_has_its_inputs_command_times_and_what_it_says_of_itself(small_run):
    manifest = read_manifest(small_run / PLACE)
    figure, result = manifest.jobs
    assert (figure.rule, result.rule) == ("figure", "result")
    assert result.command == "echo rows > results/r.parquet && cp record.json results/r.json"
    assert result.inputs == {path: sha256(small_run / path) for path in SOURCES}
    assert figure.inputs["results/r.parquet"] == sha256(small_run / "results/r.parquet")
    assert result.started < result.ended <= figure.ended < manifest.made <= datetime.now(UTC)
    assert result.result == RECORD
    assert result.wall_time == RECORD["wall_time"]
    assert result.benchmark["max_rss"] >= 0
    assert result.benchmark["h:m:s"].count(":") == 2
    assert (figure.result, figure.benchmark) == ({}, {})
    assert 0 <= figure.wall_time < 60  # rounded
    assert manifest.ancestors(figure) == [result]
    assert manifest.ancestors(result) == []


def test_the_run_has_its_environment_and_configuration(small_run):
    manifest = read_manifest(small_run / PLACE)
    assert manifest.environment.packages["numpy"] == version("numpy")
    assert manifest.environment.packages["snakemake"] == version("snakemake")
    assert manifest.configuration == {"config.yaml": sha256(small_run / "config.yaml")}
    assert (manifest.code, manifest.commit, manifest.modified) == (".", None, None)


def test_inputs_that_changed_later_have_the_hash_of_then_or_none(small_run):
    before = read_manifest(small_run / PLACE).jobs[1].inputs
    later = datetime.now().timestamp() + 10
    for name in SOURCES:
        (small_run / name).write_bytes(b"y" * LARGE)
        os.utime(small_run / name, (later, later))
    assert write_manifest(small_run).returncode == 0
    after = read_manifest(small_run / PLACE).jobs[1].inputs
    # Snakemake has recorded that of the small one.
    assert after == {"source.py": before["source.py"], "large.bin": None}


def test_a_file_that_was_written_after_its_job_is_marked(small_run):
    (small_run / "figures/f.png").write_text("painted over\n")
    assert write_manifest(small_run).returncode == 0
    artifacts = read_manifest(small_run / PLACE).artifacts
    assert [path for path, each in artifacts.items() if each.newer] == ["figures/f.png"]


def test_without_snakemakes_records_there_are_hashes_and_no_commands(small_run):
    shutil.rmtree(small_run / ".snakemake")
    before = read_manifest(small_run / PLACE)
    assert write_manifest(small_run).returncode == 0
    after = read_manifest(small_run / PLACE)
    assert after.artifacts == before.artifacts
    for job in after.jobs:
        assert (job.command, job.started, job.ended, job.inputs) == (None, None, None, {})
    assert after.jobs[1].result == RECORD


def git(folder, *command):
    name = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", "-C", folder, *name, *command], check=True, capture_output=True)


def test_the_commit_is_that_of_the_workflow_itself(small_run):
    git(small_run, "init")
    git(small_run, "add", "source.py")
    git(small_run, "commit", "-m", "source")
    assert write_manifest(small_run).returncode == 0
    manifest = read_manifest(small_run / PLACE)
    head = (small_run / ".git/logs/HEAD").read_text().split()[1]
    assert (manifest.commit, manifest.modified) == (head, False)
    (small_run / "source.py").write_text("sigma = 2\n")
    assert write_manifest(small_run).returncode == 0
    assert read_manifest(small_run / PLACE).modified is True


def test_a_copy_in_another_repository_has_no_commit(small_run):
    git(small_run.parent, "init")
    git(small_run.parent, "add", "run/source.py")
    git(small_run.parent, "commit", "-m", "theirs")
    assert write_manifest(small_run).returncode == 0
    assert read_manifest(small_run / PLACE).commit is None


def test_an_artifact_that_is_not_there_is_one_line_and_leaves_the_old_manifest(small_run):
    (small_run / "figures/f.pdf").unlink()
    before = (small_run / PLACE).read_bytes()
    done = write_manifest(small_run)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "figures/f.pdf" in done.stderr
    assert (small_run / PLACE).read_bytes() == before


def test_a_manifest_that_is_none_is_refused(tmp_path, small_run):
    text = (small_run / PLACE).read_text()
    with pytest.raises(ValueError, match=r"none\.json: there is no such manifest; `make rep"):
        read_manifest(tmp_path / "none.json")
    file = tmp_path / "manifest.json"
    for broken in (text[: len(text) // 2], "", "\0"):
        file.write_text(broken)
        with pytest.raises(
            ValueError, match=r"manifest\.json: not a complete manifest \(.*; make it"
        ):
            read_manifest(file)
    for other, where in (([], "top level"), ({"jobs": []}, "made"), ({"format": 2}, "format")):
        file.write_text(json.dumps(other))
        with pytest.raises(ValueError, match=rf"manifest\.json: not a manifest \({where}: "):
            read_manifest(file)


def test_the_manifest_is_looked_for_above_the_file(small_run, monkeypatch):
    deeper = small_run / "results" / "smoke"
    (deeper / PLACE).parent.mkdir(parents=True)
    shutil.copy(small_run / PLACE, deeper / PLACE)
    assert find_manifest(small_run / "figures/f.png") == small_run / PLACE
    assert find_manifest(deeper / "figures/f.png") == deeper / PLACE
    monkeypatch.chdir(small_run / "figures")
    assert find_manifest("f.png") == small_run / PLACE
    with pytest.raises(ValueError, match=r"f\.png: no results/manifest/manifest\.json in any"):
        find_manifest(small_run.parent / "f.png")
    assert folder_of(small_run / PLACE) == small_run
    assert folder_of(small_run / "copy.json") == small_run / "figures"


def test_many_jobs_are_given_in_a_file_as_an_argument_would_be_too_long(small_run):
    many = [*JOBS, *({"rule": "none" * 10_000, "outputs": []} for _ in range(4))]
    command = f'exec {sys.executable} -m hrta.study.pipeline manifest <(printf %s "$JOBS")'
    command += f" config.yaml --code . --output {PLACE}"
    # As the rule does, whose text is in a script.
    script = f"JOBS={shlex.quote(json.dumps(many))}\n{command}\n"
    (small_run / "script.sh").write_text(script)
    done = subprocess.run(["bash", "script.sh"], cwd=small_run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(read_manifest(small_run / PLACE).jobs) == len(many)


def test_a_record_that_is_broken_is_said_in_one_line(small_run):
    (small_run / "results/r.json").write_text('{"spec": ')
    done = write_manifest(small_run)
    assert done.returncode == 1
    assert done.stderr.startswith("results/r.json: not a readable result (")
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("; the same snakemake command makes it anew\n")
