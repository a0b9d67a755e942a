import importlib
import subprocess
import sys

import pytest

from hrta.runtime.imports import hidden


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
