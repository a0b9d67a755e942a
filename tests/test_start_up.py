"""What notebooks and commands do not import: the start of a process is most of a short job."""

import ast
import json
import subprocess
import sys

import pytest
from small_run import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NEVER = {"torch", "numba", "statsmodels", "scipy.stats", "sklearn"}


def imported_by(code: str) -> set[str]:
    """The modules that a new process has imported after it has run the code."""
    code += "\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split())


def imports_of(notebook) -> str:
    """The imports of a notebook's cells."""
    cells = json.loads(notebook.read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    lines = [each for each in ast.parse(code).body if isinstance(each, ast.Import | ast.ImportFrom)]
    return "\n".join(map(ast.unparse, lines))


def test_the_package_imports_its_parts_at_first_use():
    imported = imported_by("import hrta, hrta.networks, hrta.problems")
    assert not imported & {*NEVER, "numpy", "hrta.activations"}


def test_the_imports_of_notebooks_are_those_of_drawing():
    imported = imported_by("\n".join(imports_of(notebook) for notebook in NOTEBOOKS))
    assert "matplotlib.pyplot" in imported
    assert not imported & NEVER


def test_a_notebook_with_tables_alone_imports_no_matplotlib():
    code = imports_of(ROOT / "notebooks" / "final_losses.ipynb")
    assert not imported_by(code) & {*NEVER, "matplotlib"}


@pytest.mark.parametrize(
    "modules",
    [
        ["hrta.cli.main", "hrta.study.claims.evidence"],
        ["hrta.cli.main", "hrta.study.claims.judgement", "hrta.study.claims.pages"],
        [f"hrta.study.verification.{name}" for name in ("comparison", "reference", "tuning")],
        [f"hrta.study.pipeline.{name}" for name in ("recording", "archive", "report")],
        ["hrta.cli.main", "hrta.study.experiments.data", "hrta.problems.targets"],
    ],
    ids=["evidence", "claims", "verification", "records", "data"],
)
def test_a_job_that_trains_nothing_imports_no_torch(modules):
    assert not imported_by(f"import {', '.join(modules)}") & {*NEVER, "matplotlib"}


def test_theory_of_infinite_width_needs_no_torch():
    code = "import hrta.study.experiments.jumps, hrta.study.experiments.sample_number"
    imported = imported_by(code)
    assert "numba" in imported
    assert "torch" not in imported


def test_training_perceptrons_needs_no_tracer():
    code = """
from hrta import Schedule, Stage, train
from hrta.networks.perceptron import Perceptron
from hrta.problems.targets import make_problem
train(make_problem("sine1d", 9, 9), [Perceptron(1, 5)], Schedule([Stage(1, 2)]))
"""
    imported = imported_by(code)
    assert "torch" in imported
    assert not imported & {"torch._dynamo", "sympy", "numba"}


def test_executing_a_notebook_imports_neither_pandas_nor_a_grammar(tmp_path):
    source = tmp_path / "source.ipynb"
    cell = {"cell_type": "code", "source": "number = 1", "outputs": [], "execution_count": None}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"kernelspec": kernel}}
    cell["metadata"] = {"tags": ["parameters"]}
    source.write_text(json.dumps(content | {"cells": [cell]}))
    code = f"""
from pathlib import Path
from hrta.study.pipeline.notebook import execute
folder = Path({str(tmp_path)!r})
execute(folder / "source.ipynb", {{"number": 2}}, *(folder / name for name in "abc"))
"""
    imported = imported_by(code)
    assert {"papermill", "nbconvert"} <= imported
    assert not imported & {"pandas", "pyarrow", "rfc3987_syntax", *NEVER}
