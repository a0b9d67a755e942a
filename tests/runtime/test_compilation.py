"""Compiled functions: what their machine code must not depend on."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hrta.runtime.compilation import SOURCES


def _integer_powers(source: str) -> list[str]:
    """The powers in exactly compiled functions whose exponent has no decimal point."""
    return [
        f"{function.name}: {ast.unparse(part)}"
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef)
        and "compiled_exactly" in map(ast.unparse, function.decorator_list)
        for part in ast.walk(function)
        if isinstance(part, ast.BinOp)
        and isinstance(part.op, ast.Pow)
        and "." not in ast.unparse(part.right)
    ]


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.stem)
def test_exactly_compiled_functions_have_no_integer_powers(file: Path) -> None:
    assert _integer_powers(file.read_text()) == []


def test_an_integer_power_is_found() -> None:
    square = "@compiled_exactly\ndef square(x):\n    return x**2\n"
    assert _integer_powers(square) == ["square: x ** 2"]
    assert _integer_powers(square.replace("2", "-0.5")) == []
    assert _integer_powers(square.replace("_exactly", "")) == []


def test_without_numba_the_extra_that_brings_it_is_named():
    code = "import sys; sys.modules['numba'] = None; import hrta.runtime.compilation"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.endswith('compiled code needs numba: pip install "hrta[train]"\n')


# Two kernels in a module that counts as one of the package.
KERNELS = """
from hrta.runtime.compilation import compiled

@compiled
def twice(x):
    return 2 * x

@compiled
def thrice(x):
    return 3 * x
"""
# A function of somebody else is compiled, then the kernels.
PROCESS = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
import numba
from hrta.runtime.progress import messages_shown

spec = spec_from_file_location("hrta.example", "kernels.py")
kernels = sys.modules[spec.name] = module_from_spec(spec)
spec.loader.exec_module(kernels)
with messages_shown():
    print(numba.njit(lambda x: x + 1)(1), file=sys.stderr)
    print(kernels.twice(1), kernels.thrice(1), kernels.thrice(1.0))
"""


def test_compiling_is_announced_once_and_not_if_the_machine_code_is_in_the_cache(
    tmp_path: Path,
) -> None:
    (tmp_path / "kernels.py").write_text(KERNELS)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    said = (
        "hrta: compiling the kernels, some ten seconds; later runs read them from the cache in "
        f"{tmp_path / 'cache'}"
    )
    for expected in (["2", said], ["2"]):
        done = subprocess.run(
            [sys.executable, "-c", PROCESS],
            env=environment,
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stdout == "2 3 3.0\n"
        assert done.stderr.splitlines() == expected


def run_kernels(folder: Path, **environment: str) -> list[str]:
    """What a process says that uses the kernels."""
    (folder / "kernels.py").write_text(KERNELS)
    done = subprocess.run(
        [sys.executable, "-c", PROCESS],
        env=os.environ | environment,
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2 3 3.0\n"
    return done.stderr.splitlines()


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("part", [0, 0.5, 0.99])
def test_a_damaged_cache_is_compiled_anew_and_said(tmp_path: Path, kind: str, part: float) -> None:
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    run_kernels(tmp_path, **cache)
    file = next((tmp_path / "cache").rglob(f"*twice*.{kind}"))
    file.write_bytes(file.read_bytes()[: int(part * file.stat().st_size)])
    said = run_kernels(tmp_path, **cache)
    assert any("twice" in line and "is damaged" in line for line in said)
    assert run_kernels(tmp_path, **cache) == ["2"]


@pytest.mark.parametrize("left", ["XDG_CACHE_HOME", "TMPDIR"])
def test_without_a_folder_to_keep_machine_code_there_is_another(tmp_path: Path, left: str) -> None:
    (tmp_path / "file").write_text("no folder")
    free = tmp_path / "free"
    free.mkdir()
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "file/in"), left: str(free)}
    said = run_kernels(tmp_path, **{"XDG_CACHE_HOME": str(tmp_path / "file/in")} | environment)
    assert str(free) in said[-1]
    assert list(free.rglob("*.nbc"))
