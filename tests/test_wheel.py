"""The wheel, installed with each extra: what it brings works, and a hint names what is missing.

Each environment has the distributions that its extra requires and no others, as links to those of
the environment of the tests.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from small_run import ROOT

CORE = """
import torch
from torch import nn
import hrta

model = hrta.convert(nn.Sequential(nn.Linear(1, 4), nn.ReLU()), s=1.5)
scheduler = hrta.HomotopyScheduler(model, hrta.Schedule([hrta.Stage(1, 1), hrta.Stage(2, 1)]))
assert scheduler.step() and scheduler.s == 2
z = torch.linspace(-1, 1, 5)
assert torch.equal(hrta.HomotopyActivation(2.0)(z), z.abs())
assert torch.equal(hrta.homotopy(z, 0.0), z)
problem = hrta.Problem("line", [[0.0], [1.0]], [0.0, 1.0])
networks = hrta.TwoLayer.initialise([0], problem.inputs, 3)
assert networks.predict(problem.x, 1.5).shape == (1, 2)
hrta.restore(model)
assert type(model[1]) is nn.LeakyReLU
"""
TRAIN = """
import numpy as np
import hrta
from hrta.problems.datasets import load

problem = hrta.Problem("line", [[0.0], [1.0]], [0.0, 1.0])
networks = hrta.TwoLayer.initialise([0], 1, 3)
result = hrta.train(problem, networks, hrta.Schedule([hrta.Stage(1.5, 20)]))
assert result.engine == "numba"
assert result.history.loss.iloc[-1] < result.history.loss.iloc[0]
kernel = hrta.ntk.gram(problem.x, 1.5)
assert np.allclose(kernel, kernel.T)
inner = networks.inner[0].double().numpy()
losses = hrta.anmin.train(problem.x, problem.y, inner, 3, 1e-6, 0.5).losses
assert losses[-1] <= losses[0]
assert load("iris").inputs == 4
"""
# Lightning has two names; importing either of them warns of what is theirs.
LIGHTNING = """
import warnings
warnings.simplefilter("ignore")
import hrta
import lightning.pytorch
import pytorch_lightning
from hrta.integrations import lightning as one, pytorch_lightning as other

stages = [hrta.Stage(1.5, 10)]
assert isinstance(one.HomotopyCallback(stages), lightning.pytorch.Callback)
assert isinstance(other.HomotopyCallback(stages), pytorch_lightning.Callback)
"""
TRANSFORMERS = """
import accelerate
import hrta
from hrta.integrations.transformers import HomotopyCallback
from transformers import TrainerCallback

assert isinstance(HomotopyCallback([hrta.Stage(1.5, 10)]), TrainerCallback)
"""
PARTS = {"train": TRAIN, "lightning": LIGHTNING, "transformers": TRANSFORMERS}
EXTRAS = ["", *PARTS, "study"]
# What the core refuses, and the package that it names first.
REFUSED = {
    "hrta.train": "hrta.train needs pandas",
    "hrta.training.lbfgs": "hrta.train needs pandas",
    "hrta.ntk": "hrta.ntk needs numba",
    "hrta.anmin": "hrta.anmin needs scipy",
    "hrta.problems.datasets": "hrta.problems.datasets needs pandas",
    "hrta.problems.files": "hrta.problems.files needs pandas",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of what it is made of."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "hrta", source / "hrta", ignore=shutil.ignore_patterns("__pycache__"))
    build = ["build", "--quiet", "--wheel", "--no-build-isolation", "--offline"]
    folder = tmp_path_factory.mktemp("wheel")
    uv(*build, "--python", sys.executable, "--out-dir", folder, source)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def environment(request, wheel, tmp_path_factory):
    """A virtual environment with the wheel and what the extra `request.param` requires."""
    folder = tmp_path_factory.mktemp(request.param or "core")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    install = ["pip", "install", "--quiet", "--no-deps", "--offline"]
    uv(*install, "--python", folder / "bin/python", wheel)
    (site,) = folder.glob("lib/python*/site-packages")
    (own,) = site.glob("hrta-*.dist-info")
    required = {}
    collect(Distribution.at(own), {request.param}, required)
    for each in required.values():
        link(each, site)
    return folder


def uv(*arguments):
    subprocess.run([sys.executable, "-m", "uv", *map(str, arguments)], check=True)


def collect(installed, extras, found):
    """Add all distributions that one requires with these extras, by name and extra."""
    for requirement in map(Requirement, installed.requires or []):
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            continue
        for extra in requirement.extras or {""}:
            key = canonicalize_name(requirement.name), extra
            if requirement.name == "hrta":
                collect(installed, {extra}, found)
            elif key not in found:
                found[key] = distribution(requirement.name)
                collect(found[key], {"", extra}, found)


def link(installed, site):
    """Link the files of a distribution into another environment."""
    for place in {file.parts[0] for file in installed.files if file.parts[0] != ".."}:
        target = site / place
        if not target.exists() and place != "__pycache__":
            target.symlink_to(Path(installed.locate_file(place)))


def run(environment, *command):
    """Run a command of the environment in an empty folder."""
    folder = environment / "empty"
    folder.mkdir(exist_ok=True)
    program = environment / "bin" / command[0]
    return subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env={"PATH": f"{environment / 'bin'}:/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def check(environment, code):
    """Run Python code, in which all must be right and nothing is said."""
    done = run(environment, "python", "-W", "error", "-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_wheel_has_the_package_alone(wheel):
    files = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    expected = {file.relative_to(ROOT) for file in (ROOT / "hrta").rglob("*.py")}
    package = {file for file in files if file.parts[0] == "hrta"}
    assert package == expected | {Path("hrta/py.typed")}
    (rest,) = {file.parts[0] for file in files - package}
    assert rest.endswith(".dist-info")


def for_each(extras, **options):
    """A test with the environment of each extra; the core has no name."""
    return pytest.mark.parametrize("environment", extras, indirect=True, scope="module", **options)


@for_each(EXTRAS, ids=lambda extra: extra or "core")
def test_every_environment_has_the_core(environment):
    check(environment, CORE)


@pytest.mark.parametrize(
    ("environment", "code"), PARTS.items(), indirect=["environment"], ids=PARTS, scope="module"
)
def test_an_extra_brings_its_part(environment, code):
    check(environment, code)


@for_each([""], ids=["core"])
def test_a_hint_names_the_extra_of_an_integration(environment):
    for name, extra in (
        ("lightning", "lightning"),
        ("pytorch_lightning", "lightning"),
        ("transformers", "transformers"),
    ):
        done = run(environment, "python", "-c", f"from hrta.integrations import {name}")
        hint = f'hrta.integrations.{name} needs {name}: pip install "hrta[{extra}]"'
        assert done.stderr.splitlines()[-1].endswith(hint)


@for_each(["", "lightning"], ids=["core", "lightning"])
def test_a_hint_names_the_extra_of_what_is_missing(environment):
    for name, message in REFUSED.items():
        package, _, part = name.rpartition(".")
        done = run(environment, "python", "-c", f"from {package} import {part}")
        assert message in done.stderr.splitlines()[-1]
        assert done.stderr.endswith(': pip install "hrta[train]"\n')
        assert "During handling" not in done.stderr


@for_each(["", *PARTS], ids=lambda extra: extra or "core")
@pytest.mark.parametrize("command", [["hrta", "--version"], ["python", "-m", "hrta", "--help"]])
def test_the_command_needs_the_study(environment, command):
    done = run(environment, *command)
    assert (done.returncode, done.stdout) == (1, "")
    message = r'the command hrta needs \w+: pip install "hrta\[study\]"\n'
    assert re.fullmatch(message, done.stderr)


@for_each(["study"])
def test_the_command_works_outside_a_checkout_or_says_what_it_needs(environment):
    for command in (["--version"], ["--help"], ["data", "sine1d", "--output", "points.parquet"]):
        done = run(environment, "hrta", *command)
        assert (done.returncode, done.stderr) == (0, "")
    for command, message in (
        (["claims", "evidence"], "config/claims.yaml: there is no such file; a checkout has it"),
        (["profile"], "results/manifest/manifest.json: there is no such manifest"),
        (["info", "points.parquet"], "points.parquet: no results/manifest/manifest.json"),
    ):
        done = run(environment, "hrta", *command)
        assert (done.returncode, done.stdout) == (1, "")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
