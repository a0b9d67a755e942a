import pandas as pd
import pytest
from evidence_examples import MACHINE, MADE

from hrta.runtime.files import write_json, write_table
from hrta.study.pipeline.manifest import Job, code_digest
from hrta.study.verification.machines import alike, processors, records_of


@pytest.mark.parametrize(
    ("change", "exact"),
    [
        ({}, True),
        ({"commit": "other"}, True),
        ({"machines": [MACHINE | {"platform": "Linux-2-with-glibc2"}]}, True),
        ({"machines": [MACHINE | {"platform": "Linux-1-with-glibc3"}]}, False),
        ({"machines": [MACHINE | {"cpu_model": "6-1-2"}]}, False),
        ({"machines": [MACHINE | {"cpu_model": None}]}, False),
        ({"machines": [MACHINE | {"versions": {"torch": "2"}}]}, False),
        ({"machines": []}, False),
        ({"code": "abd"}, False),
        ({"code": None}, False),
    ],
)
def test_alike_are_runs_with_one_processor_model_and_code(change, exact):
    assert alike(MADE, MADE | change) == alike(MADE | change, MADE) == exact
    assert not alike(None, MADE)
    assert not alike(MADE | {"code": None}, MADE | {"code": None})


def test_processors_are_named():
    two = {"machines": [MACHINE, MACHINE | {"cpu": "b"}, MACHINE]}
    assert processors(two) == "b, c"
    assert processors(None) == processors({}) == "processor not recorded"


def test_records_are_those_of_results(tmp_path):
    results = tmp_path / "results"
    for name in (
        "a",
        "benchmark",
        "manifest/manifest",
        "smoke/results/a",
        "benchmarks/a",
        "deep/b",
    ):
        write_json({"versions": {"torch": "1"}}, results / f"{name}.json")
    for name in ("a", "smoke/results/a", "benchmarks/a", "deep/b", "deep/c"):
        write_table(pd.DataFrame({"loss": [1.0]}), results / f"{name}.parquet")
    write_json({"no": "record"}, results / "deep/c.json")
    assert records_of(results) == [results / "a.json", results / "deep/b.json"]


def job(digest="1", versions=True, path="code/hrta/ntk/gram.py"):
    inputs = {path: digest, "data/a.parquet": "2"}
    return Job(rule="r", outputs=[], inputs=inputs, result={"versions": {}} if versions else {})


def test_the_code_is_that_of_the_modules_that_made_results():
    one = code_digest([job(), job(versions=False, digest="3")])
    assert one == code_digest([job(path="hrta/ntk/gram.py"), job()])
    assert one != code_digest([job("4")])
    assert code_digest([job(None)]) is None
    assert code_digest([job(versions=False)]) is None
