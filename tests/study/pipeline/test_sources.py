import json
import subprocess
import sys
from pathlib import Path

import pytest

from hrta.study.pipeline import sources as module
from hrta.study.pipeline.sources import HOME, notebook_sources, sources, workflow_file


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package in a workflow's folder of its own, which is the current one."""
    files = {
        "hrta/__init__.py": "import lazy",
        "hrta/a.py": "from hrta.room import b\n\ndef late():\n    import hrta.c\n",
        "hrta/room/__init__.py": "",
        "hrta/room/b.py": "from importlib import import_module\nimport_module('hrta.d')",
        "hrta/c.py": "import os, json",
        "hrta/d.py": "",
        "hrta/e.py": "from hrta import a",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(module, "HOME", tmp_path)
    forget()
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    forget()


def forget():
    """Read everything anew."""
    for cached in (module._all_files_of, module._files_of, module._imported, module._from_here):
        cached.cache_clear()


def test_sources_are_a_module_and_all_that_it_imports_anywhere_in_it(package):
    of_a = ["hrta/__init__.py", "hrta/a.py", "hrta/c.py", "hrta/room/__init__.py", "hrta/room/b.py"]
    assert sources("hrta.a") == of_a
    assert sources("hrta.e") == sorted([*of_a, "hrta/e.py"])
    assert sources("hrta.c", "hrta.d") == ["hrta/__init__.py", "hrta/c.py", "hrta/d.py"]


def test_modules_may_import_each_other(package):
    (package / "hrta/c.py").write_text("import hrta.a")
    forget()
    assert sources("hrta.c") == sources("hrta.a")


def test_a_notebook_has_the_sources_of_its_code_and_not_of_its_prose(package):
    cells = [
        {"cell_type": "markdown", "source": ["from hrta import a"]},
        {"cell_type": "code", "source": ["from hrta.room import b\n", "import hrta.c"]},
    ]
    (package / "notebooks").mkdir()
    (package / "notebooks/n.ipynb").write_text(json.dumps({"cells": cells}))
    made = ["hrta/__init__.py", "hrta/c.py", "hrta/room/__init__.py", "hrta/room/b.py"]
    assert notebook_sources("n") == made


def test_paths_are_as_seen_from_the_folder_of_the_run(package, monkeypatch):
    (package / "results/smoke").mkdir(parents=True)
    monkeypatch.chdir(package / "results/smoke")
    assert sources("hrta.d") == ["../../hrta/__init__.py", "../../hrta/d.py"]
    assert workflow_file() == "../.."
    assert workflow_file("config/claims.yaml") == "../../config/claims.yaml"


def test_a_module_with_a_mistake_is_one_line(package):
    (package / "hrta/d.py").write_text("x = (\n")
    with pytest.raises(SystemExit, match=r"^workflow: .*hrta/d\.py:1: '\(' was never closed$"):
        sources("hrta.d")


def test_whatever_an_import_loads_is_among_the_sources():
    name = "hrta.study.experiments.spectra"
    ask = (
        f"import sys, {name}\n"
        "for module in list(sys.modules):\n"
        "    if module.split('.')[0] == 'hrta': print(sys.modules[module].__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=HOME, capture_output=True, text=True, check=True
    )
    found = {str(Path(file).resolve()) for file in sources(name)}
    assert set(done.stdout.split()) <= found
    assert not any("figures" in file for file in found)
