import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from hrta.runtime.imports import EXTRAS, hidden, needed_by, require

LAZY = ["hrta", "hrta.networks", "hrta.ntk", "hrta.problems", "hrta.training"]


def test_a_hidden_package_cannot_be_imported_within_the_block(monkeypatch):
    monkeypatch.delitem(sys.modules, "this", raising=False)
    with hidden("this"), pytest.raises(ImportError):
        importlib.import_module("this")
    assert "this" not in sys.modules


def test_a_package_that_is_imported_already_stays():
    with hidden("json"):
        assert importlib.import_module("json") is sys.modules["json"]
    assert sys.modules["json"]


def test_packages_are_found_again_after_an_error():
    with pytest.raises(KeyError), hidden("colorsys"):
        raise KeyError
    assert importlib.import_module("colorsys")


def test_what_is_imported_is_left_out_of_collections_and_the_rest_is_not():
    code = """
import gc
from hrta.runtime.imports import uncollected
try:
    with uncollected():
        assert not gc.isenabled()
        import colorsys
        raise KeyError
except KeyError:
    assert gc.isenabled()
assert gc.get_freeze_count() > 1000
cycle = []
cycle.append(cycle)
del cycle
assert gc.collect() == 1
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_package_that_is_not_installed_names_the_extra_that_brings_it(monkeypatch, extra):
    package = EXTRAS[extra][0]
    monkeypatch.setitem(sys.modules, package, None)
    message = f'hrta.part needs {package}: pip install "hrta[{extra}]"'
    with pytest.raises(ModuleNotFoundError) as caught:
        require("hrta.part", "yaml", package)
    assert str(caught.value) == message
    with pytest.raises(ModuleNotFoundError) as caught, needed_by("hrta.part"):
        importlib.import_module(package)
    assert str(caught.value) == message
    assert caught.value.name == package
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("missing", ["tqdm.part", "colorama", "tq"])
def test_an_installed_package_that_is_broken_keeps_its_error(tmp_path, monkeypatch, missing):
    (tmp_path / "tqdm.py").write_text(f"import {missing}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, "tqdm", raising=False)
    with pytest.raises(ModuleNotFoundError) as caught, needed_by("hrta.part"):
        importlib.import_module("tqdm")
    assert type(caught.value) is ModuleNotFoundError
    assert "pip install" not in str(caught.value)


@pytest.mark.parametrize("package", LAZY)
def test_the_names_of_a_package_are_those_that_type_checkers_see(package):
    module = importlib.import_module(package)
    (block,) = (
        each
        for each in ast.parse(Path(module.__file__).read_text()).body
        if isinstance(each, ast.If)
    )
    seen = {name.name: each.module for each in block.body for name in each.names}
    assert dir(module) == sorted(module.__all__)
    assert {*seen} == {*module.__all__}
    for name, home in seen.items():
        expected = importlib.import_module(home)
        part = f"{home}.{name}"
        expected = getattr(expected, name) if home != package else importlib.import_module(part)
        assert getattr(module, name) is expected


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'hrta' has no attribute 'covert'"):
        importlib.import_module("hrta").covert  # noqa: B018
