import subprocess
from pathlib import Path

import pytest

from hrta.runtime.files import UnreadableError, read_tables
from hrta.study.pipeline.repair import made_anew

# A result, what is made from it, and a figure.
SNAKEFILE = """
rule figure:
    input: "middle"
    output: "figure"
    shell: "cp {input} {output}"
rule middle:
    input: "a.parquet"
    output: "middle"
    shell: "cp {input} {output}"
rule result:
    input: "source"
    output: "a.parquet"
    shell: "cp {input} {output}"
"""


def snakemake():
    command = ["snakemake", "--cores", "1", "--rerun-incomplete", "figure"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A folder in which the small workflow has run."""
    monkeypatch.chdir(tmp_path)
    Path("Snakefile").write_text(SNAKEFILE)
    Path("source").write_text("good")
    snakemake()


def test_the_same_command_makes_a_result_anew_that_could_not_be_read(run):
    Path("a.parquet").write_bytes(b"garbage")
    with pytest.raises(UnreadableError), made_anew(False):
        read_tables("a.parquet")
    said = r"^a\.parquet: not a readable result \(.*\); the same snakemake command makes it anew$"
    with pytest.raises(ValueError, match=said) as error, made_anew():
        read_tables("a.parquet")
    assert "\n" not in str(error.value)
    # As Snakemake removes the outputs of a job that failed.
    Path("middle").unlink()
    snakemake()
    assert {Path(name).read_text() for name in ("a.parquet", "middle", "figure")} == {"good"}
    assert "Nothing to be done" in snakemake()
