import json
import subprocess
import sys
from pathlib import Path

import pytest

from hrta.study.pipeline import sources as module
from hrta.study.pipeline.sources import (
    HOME,
    notebook_sources,
    notebook_title,
    sources,
    workflow_file,
)


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
    for name in ("_all_files_of", "_files_of", "_imported", "_from_here", "_texts"):
        getattr(module, name).cache_clear()


def write_notebook(folder, *cells):
    """A notebook n of these cells, each given by its type and its lines."""
    (folder / "notebooks").mkdir()
    stored = [{"cell_type": kind, "source": lines} for kind, *lines in cells]
    (folder / "notebooks/n.ipynb").write_text(json.dumps({"cells": stored}))


def test_sources_are_a_module_and_all_that_it_imports_anywhere_in_it(package):
    of_a = ["hrta/__init__.py", "hrta/a.py", "hrta/c.py", "hrta/room/__init__.py", "hrta/room/b.py"]
    assert sources("hrta.a") == of_a
    assert sources("hrta.e") == sorted([*of_a, "hrta/e.py"])
    assert sources("hrta.c", "hrta.d") == ["hrta/__init__.py", "hrta/c.py", "hrta/d.py"]


def test_what_only_a_type_checker_imports_is_no_source(package):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hrta.c\n"
    (package / "hrta/d.py").write_text(text)
    forget()
    assert sources("hrta.d") == ["hrta/__init__.py", "hrta/d.py"]


def test_a_module_that_is_not_there_gives_one_line(package):
    with pytest.raises(SystemExit, match=r"^workflow: hrta\.room\.z: there is no such module$"):
        sources("hrta.a", "hrta.room.z")


def test_modules_may_import_each_other(package):
    (package / "hrta/c.py").write_text("import hrta.a")
    forget()
    assert sources("hrta.c") == sources("hrta.a")


def test_a_notebook_has_the_sources_of_its_code_and_not_of_its_prose(package):
    write_notebook(
        package,
        ("markdown", "from hrta import a"),
        ("code", "from hrta.room import b\n", "import hrta.c"),
    )
    made = ["hrta/__init__.py", "hrta/c.py", "hrta/room/__init__.py", "hrta/room/b.py"]
    assert notebook_sources("n") == made


def test_a_notebook_has_its_first_markdown_heading_as_title(package):
    write_notebook(
        package,
        ("code", "# Not this"),
        ("markdown", "#hashtag\n", "## A section\n", "# Kₛ: a *law* \n", "Prose\n", "# Later"),
    )
    assert notebook_title("n") == "Kₛ: a *law*"


def test_a_notebook_without_a_heading_is_one_line(package):
    write_notebook(package, ("code", "# a comment"), ("markdown", "#hashtag\n", "## A section"))
    with pytest.raises(
        SystemExit, match=r"^workflow: .*notebooks/n\.ipynb: no title; begin a [^\n]*$"
    ):
        notebook_title("n")


def test_a_notebook_is_read_once(package):
    write_notebook(package, ("markdown", "# Title"), ("code", "import hrta.c"))
    assert notebook_title("n") == "Title"
    (package / "notebooks/n.ipynb").unlink()
    assert notebook_sources("n") == ["hrta/__init__.py", "hrta/c.py"]


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
