"""Compiled functions: what their machine code must not depend on."""

import ast
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
