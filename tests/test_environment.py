"""pyproject.toml, requirements.lock and environment.yml tell of one and the same environment."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

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


def needed():
    requirements = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    return [Requirement(requirement) for requirement in requirements]


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
