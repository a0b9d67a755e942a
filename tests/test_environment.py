"""pyproject.toml, requirements.lock and environment.yml tell of one and the same environment."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from hrta.runtime.imports import EXTRAS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def locked():
    """Every pinned requirement of the lock, by name; there may be one for each Python."""
    entries = re.split(r"\n(?=[a-zA-Z])", re.sub(r"(?m)^\s*#.*\n", "", LOCK))
    pins = {}
    for entry in entries:
        if not entry.strip():
            continue
        pin = Requirement(entry.split("\\")[0].strip())
        pins.setdefault(pin.name, []).append(pin)
        assert "--hash=sha256:" in entry, f"{pin.name} has no hash"
    return pins


def brought_by(extra):
    """The requirements of an extra and of the extras that it includes."""
    for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
        if requirement.name == "hrta":
            for included in sorted(requirement.extras):
                yield from brought_by(included)
        else:
            yield requirement


def needed():
    return [*map(Requirement, PROJECT["dependencies"]), *brought_by("dev")]


def imports_of(*places):
    """The packages that the modules at these places import, whenever they do."""
    files = [file for place in places for file in (ROOT / "hrta").glob(place)]
    assert files
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text()))):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("requirement", needed(), ids=lambda requirement: requirement.name)
def test_the_lock_holds_what_the_project_needs(requirement, python):
    pins = [
        pin
        for pin in locked().get(requirement.name, [])
        if pin.marker is None
        or pin.marker.evaluate({"python_version": python, "python_full_version": f"{python}.9"})
    ]
    assert len(pins) == 1
    (version,) = pins[0].specifier
    assert version.operator == "=="
    assert requirement.specifier.contains(version.version, prereleases=True)


def test_the_lock_names_no_address():
    assert not re.search(r"https?:|file:|--index-url|--find-links|@ ", LOCK)


def test_conda_gets_the_same_python_and_the_same_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, packages = environment["dependencies"]
    assert python.startswith("python ")
    assert SpecifierSet(python.removeprefix("python ")) == SpecifierSet(PROJECT["requires-python"])
    assert pip == "pip"
    assert packages == {"pip": ["-r requirements.lock"]}


def test_the_version_is_one():
    from hrta import __version__

    assert __version__ == PROJECT["version"]


# What a package cannot be installed without, by the names under which they are imported.
PARTS = {"llvmlite": "numba", "triton": "torch", "PIL": "matplotlib", "pydantic_core": "pydantic"}
CORE = ["__init__.py", "activations.py", "schedules.py", "drop_in/*.py", "networks/*.py"]
LIBRARY = ["*.py", *(f"{room}/**/*.py" for room in ("ntk", "problems", "runtime", "training"))]


def distributions(packages):
    """The names on the package index of imported packages."""
    known = packages_distributions()
    return {canonicalize_name(known[package][0]) for package in packages}


def imported(*places):
    """The packages that are not of Python itself or of this project."""
    names = {PARTS.get(name, name) for name in imports_of(*places)}
    return names - sys.stdlib_module_names - {"hrta"}


@pytest.mark.parametrize(
    ("extra", "places"), [("train", LIBRARY), ("study", ["cli/*.py", "study/**/*.py"])]
)
def test_an_extra_brings_what_its_modules_import(extra, places):
    packages = imported(*places)
    brought = {canonicalize_name(each.name) for each in brought_by(extra)} | {"torch", "numpy"}
    assert distributions(packages) <= brought
    others = {package for name, each in EXTRAS.items() if name != extra for package in each}
    assert packages - {"torch", "numpy"} - others == set(EXTRAS[extra])


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_hints_name_the_extra_that_brings_a_package(extra):
    declared = map(Requirement, PROJECT["optional-dependencies"][extra])
    assert distributions(EXTRAS[extra]) <= {canonicalize_name(each.name) for each in declared}


def test_the_core_needs_torch_and_numpy_alone():
    assert {Requirement(each).name for each in PROJECT["dependencies"]} == {"torch", "numpy"}
    assert imported(*CORE) == {"torch", "numpy"}
