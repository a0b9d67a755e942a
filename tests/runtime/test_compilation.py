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
    said = "hrta: compiling the kernels, some ten seconds; later runs read them from the cache"
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
