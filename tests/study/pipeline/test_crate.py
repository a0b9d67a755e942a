import hashlib
import json
import zipfile

import pytest
from crate_validation import issues
from small_run import run_command, write_crate

from hrta.study.pipeline.manifest import PLACE

METADATA = "ro-crate-metadata.json"
PROFILES = ["ro-crate-1.1", "workflow-ro-crate", "workflow-run-crate", "provenance-run-crate"]


@pytest.fixture
def crate(small_run):
    """The crate of the small run, unpacked."""
    done = write_crate(small_run, "crate.zip")
    assert (done.returncode, done.stderr) == (0, "")
    with zipfile.ZipFile(small_run / "crate.zip") as archive:
        archive.extractall(small_run.parent / "crate")
    return small_run.parent / "crate"


def entities(folder):
    return {each["@id"]: each for each in json.loads((folder / METADATA).read_text())["@graph"]}


def kinds(entity):
    return entity["@type"] if isinstance(entity["@type"], list) else [entity["@type"]]


VALIDATORS_OWN = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")


@VALIDATORS_OWN
@pytest.mark.parametrize("profile", PROFILES)
def test_the_crate_has_all_that_its_profiles_require(crate, profile, tmp_path):
    assert issues(crate, profile, tmp_path / "http") == []


@VALIDATORS_OWN
def test_the_validator_sees_what_is_missing(crate, tmp_path):
    text = (crate / METADATA).read_text()
    (crate / METADATA).write_text(text.replace('"instrument"', '"about"'))
    (crate / "figures/f.png").unlink()
    found = issues(crate, "provenance-run-crate", tmp_path / "http")
    assert any("instrument" in issue for issue in found)
    assert any("figures/f.png" in issue for issue in found)


def test_every_file_is_described_and_as_described(crate):
    described = {name: each for name, each in entities(crate).items() if "File" in kinds(each)}
    there = {str(f.relative_to(crate)) for f in crate.rglob("*") if f.is_file()} - {METADATA}
    assert set(described) == there
    assert {"figures/f.pdf", "large.bin", "config.yaml", "README.md"} < there
    for name, each in described.items():
        content = (crate / name).read_bytes()
        assert each["sha256"] == hashlib.sha256(content).hexdigest()
        assert each["contentSize"] == str(len(content))


def test_the_run_and_its_jobs_are_actions(crate):
    known = entities(crate)
    root, run = known["./"], known["#run"]
    assert root["mainEntity"] == {"@id": "Snakefile"} == run["instrument"]
    assert root["license"] == {"@id": "https://spdx.org/licenses/MIT"}
    assert root["citation"] == {"@id": "https://arxiv.org/abs/2309.15244"}
    assert run["object"] == {"@id": "config.yaml"}
    assert run["result"] == [{"@id": "figures/"}, {"@id": "results/"}]
    figure, result = known["#job/0"], known["#job/1"]
    assert figure["instrument"] == {"@id": "#rule/figure"}
    assert {each["@id"] for each in figure["object"]} == {"results/r.parquet", "source.py"}
    assert {each["@id"] for each in figure["result"]} == {"figures/f.png", "figures/f.pdf"}
    assert result["description"].startswith("echo rows > results/r.parquet")
    assert run["startTime"] == result["startTime"] <= figure["endTime"] == run["endTime"]


def references(value):
    """The entities that a property refers to."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield each["@id"]


def test_whatever_an_entity_refers_to_is_described_or_on_the_web(crate):
    known = entities(crate)
    missing = {
        reference
        for each in known.values()
        for value in each.values()
        for reference in references(value)
        if reference not in known and not reference.startswith("https://")
    }
    assert missing == set()
    assert sum(len(list(references(each.get("result")))) for each in known.values()) > 4


def test_the_description_alone_is_that_of_the_zip(crate, small_run):
    output = small_run / "results/manifest" / METADATA
    assert write_crate(small_run, str(output)).returncode == 0
    assert json.loads(output.read_text()) == json.loads((crate / METADATA).read_text())


def test_folders_go_in_without_hidden_files(small_run):
    (small_run / "report/assets").mkdir(parents=True)
    for name in ("index.html", "assets/style.css", "assets/.snakemake_timestamp"):
        (small_run / "report" / name).write_text("a page\n")
    assert write_crate(small_run, "crate.zip", "report").returncode == 0
    with zipfile.ZipFile(small_run / "crate.zip") as archive:
        pages = {name for name in archive.namelist() if name.startswith("report/")}
    assert pages == {"report/", "report/assets/", "report/index.html", "report/assets/style.css"}


def test_a_file_that_is_missing_is_one_line_and_no_crate(small_run):
    (small_run / "figures/f.png").unlink()
    done = write_crate(small_run, "crate.zip")
    assert done.returncode == 1
    assert done.stderr == "figures/f.png: in the manifest, but there is no such file\n"
    assert not list(small_run.glob("*crate*"))


def test_the_workflow_may_lie_in_another_folder(small_run):
    code = small_run.parent / "code"
    code.mkdir()
    for name in ("Snakefile", "README.md", "CITATION.cff", "source.py"):
        (small_run / name).rename(code / name)
    (small_run / "config.yaml").rename(small_run.parent / "my.yaml")
    text = (small_run / PLACE).read_text().replace('"source.py"', '"../code/source.py"')
    (small_run / PLACE).write_text(text.replace('"config.yaml"', '"../my.yaml"'))
    done = run_command(
        *(small_run, "crate", str(PLACE), "--code", "../code", "--output", "crate.zip"),
        *("../code/Snakefile", "../code/README.md", "../code/CITATION.cff"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    with zipfile.ZipFile(small_run / "crate.zip") as archive:
        names = set(archive.namelist())
    assert {"Snakefile", "README.md", "source.py", "figures/f.png", "given/my.yaml"} < names
    assert not any(".." in name for name in names)
