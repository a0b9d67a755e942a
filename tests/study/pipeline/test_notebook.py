import json

import nbformat
import pandas as pd
import papermill
import pytest
from small_run import ROOT, run_command

from hrta.study.pipeline.sources import notebook_title

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_stored_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_have_parameters_a_title_and_say_what_is_seen(path):
    assert papermill.inspect_notebook(str(path))
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith(f"# {notebook_title(path.stem)}\n")
    prose = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert len(prose) > 300
    assert "$" not in prose  # pages are read offline, where nothing would set formulas


def write(path, *sources):
    """A notebook with a cell of parameters and a cell of code for each source."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)


def execute(folder, parameters):
    (folder / "parameters.json").write_text(json.dumps(parameters))
    return run_command(
        *(folder, "notebook", folder / "source.ipynb", folder / "parameters.json"),
        *("--draft", folder / "logs" / "draft.ipynb"),
        *("--executed", folder / "executed" / "done.ipynb"),
        *("--page", folder / "executed" / "done.html"),
    )


def test_a_notebook_is_executed_with_its_parameters(tmp_path):
    write(tmp_path / "source.ipynb", "number = 1", "print('number is', 6 * number)")
    done = execute(tmp_path, {"number": 7})
    assert done.returncode == 0, done.stderr
    copy = nbformat.read(tmp_path / "executed" / "done.ipynb", as_version=4)
    assert copy.cells[-1].outputs[0].text == "number is 42\n"
    assert "number is 42" in (tmp_path / "executed" / "done.html").read_text()
    assert len(list((tmp_path / "executed").iterdir())) == 2


def test_a_misspelt_parameter_is_an_error(tmp_path):
    write(tmp_path / "source.ipynb", "number = 1", "print(number)")
    done = execute(tmp_path, {"nmuber": 7})
    assert done.returncode == 1
    assert done.stderr.endswith("unknown parameters nmuber; allowed are number\n")
    assert not (tmp_path / "executed").exists()


def test_a_failed_notebook_leaves_its_draft_and_no_result(tmp_path):
    write(tmp_path / "source.ipynb", "number = 0", "print('so far')", "1 / number")
    done = execute(tmp_path, {"number": 0})
    assert done.returncode == 1
    first, *shown, last = done.stderr[done.stderr.index(str(tmp_path)) :].splitlines()
    assert first == f"{tmp_path / 'source.ipynb'}: cell [4] failed"
    assert "----> 1 1 / number" in shown
    assert shown[-1] == "ZeroDivisionError: division by zero"
    assert last.endswith(f"with all details: {tmp_path / 'logs' / 'draft.ipynb'}")
    draft = nbformat.read(tmp_path / "logs" / "draft.ipynb", as_version=4)
    assert any("so far" in str(cell.get("outputs")) for cell in draft.cells)
    assert not (tmp_path / "executed").exists()


def test_of_a_long_traceback_the_end_is_shown_without_colours(tmp_path):
    down = "def down(n):\n    return down(n - 1) if n else {}['missing']"
    write(tmp_path / "source.ipynb", "number = 0", down, "down(30)")
    shown = execute(tmp_path, {"number": 0}).stderr.partition("failed\n")[2].splitlines()
    assert len(shown) == 21
    assert shown[-2] == "KeyError: 'missing'"
    assert not any("\x1b" in line for line in shown)


def test_a_notebook_whose_process_ends_is_said_in_words(tmp_path):
    write(tmp_path / "source.ipynb", "number = 0", "import os\n\nos._exit(1)")
    done = execute(tmp_path, {"number": 0})
    assert done.returncode == 1
    assert "source.ipynb: its process ended in a cell" in done.stderr
    assert done.stderr.endswith("logs/draft.ipynb\n")
    assert "Traceback" not in done.stderr


def test_a_result_that_is_broken_is_named_in_one_line(tmp_path):
    read = "from hrta.runtime.files import read_tables\n\nread_tables(*files)"
    write(tmp_path / "source.ipynb", "files = []", read)
    for name in ("good", "bad"):
        pd.DataFrame({"a": [1]}).to_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    done = execute(tmp_path, {"files": ["good.parquet", "bad.parquet"]})
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if "bad.parquet" in line]
    assert line.startswith("bad.parquet: not a readable result (")
    assert line.endswith("; the same snakemake command makes it anew")
    assert "failed" not in done.stderr
    assert len(list((tmp_path / ".snakemake/incomplete").iterdir())) == 1


def test_no_home_folder_and_no_settings_of_the_user_are_needed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/dev/null/none")
    startup = tmp_path / "ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "mine.py").write_text("raise SystemExit('a setting of the user was read')")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    write(tmp_path / "source.ipynb", "number = 1", "print('number is', number)")
    done = execute(tmp_path, {"number": 7})
    assert done.returncode == 0, done.stderr
    assert "number is 7" in (tmp_path / "executed/done.html").read_text()
