import json
import os
from pathlib import Path
from types import SimpleNamespace

from pydantic import TypeAdapter
from small_run import SNAKEFILE
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings
from studies import ROOT

from hrta.study.pipeline.recorded import Recorded, RecordedJob, code_files

RESULT = RecordedJob("result", ["results/r.parquet", "results/r.json"], "benchmarks/r.tsv")
FIGURE = RecordedJob("figure", ["figures/f.png", "figures/f.pdf"])
LATER = """
rule later:
    input: "figures/f.png"
    output: "report/{name}.html"
    shell: "touch {output}"

rule unused:
    output: "unused.txt"
    shell: "touch {output}"
"""


def recorded(folder, *wanted):
    """What is recorded in a folder of the small workflow with two more rules."""
    (folder / "Snakefile").write_text(SNAKEFILE + LATER)
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[folder / "config.yaml"]),
            snakefile=folder / "Snakefile",
            workdir=folder,
        )._workflow
        found = Recorded(workflow, wanted)
        return SimpleNamespace(
            jobs=found.jobs,
            files=found.files,
            jobs_json=found.jobs_json,
            configuration=found.configuration,
        )


def test_the_jobs_are_those_behind_the_files_and_no_others(small_run, monkeypatch):
    monkeypatch.chdir(small_run)
    found = recorded(small_run, "figures/f.png")
    assert found.jobs == [FIGURE, RESULT]
    assert found.files == [*FIGURE.outputs, *RESULT.outputs]
    assert TypeAdapter(list[RecordedJob]).validate_json(found.jobs_json) == found.jobs


def test_a_job_is_there_once_and_with_its_wildcards_filled_in(small_run, monkeypatch):
    monkeypatch.chdir(small_run)
    wanted = ("report/a.html", "figures/f.pdf", "figures/f.png", "report/b.html", "source.py")
    found = recorded(small_run, *wanted)
    pages = [RecordedJob("later", [f"report/{name}.html"]) for name in ("a", "b")]
    assert found.jobs == [FIGURE, *pages, RESULT]


def test_the_configuration_is_that_of_the_replication_and_what_is_laid_over_it(
    small_run, monkeypatch
):
    monkeypatch.chdir(small_run)
    base = os.path.relpath(ROOT / "config/replication.yaml")
    assert recorded(small_run, "figures/f.png").configuration == [base, "config.yaml"]


def test_the_workflows_own_files_are_there_without_caches(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    files = code_files()
    assert {"Snakefile", "workflow/rules/results.smk", "hrta/__init__.py"} <= set(files)
    assert {"profiles/default/config.yaml", "requirements.lock"} <= set(files)
    assert len(set(files)) == len(files)
    assert all(Path(file).is_file() for file in files)
    assert not any("__pycache__" in file or "executed" in file for file in files)
    monkeypatch.chdir(tmp_path)
    assert os.path.relpath(ROOT / "Snakefile") in code_files()
    json.dumps(code_files())
