"""Compiled functions: what their machine code must not depend on."""

import ast
from pathlib import Path

import pytest

import hrta
from hrta.runtime.compilation import SOURCES

PACKAGE = Path(hrta.__file__).parent


def _integer_powers(source: str) -> list[str]:
    """The powers in compiled functions whose exponent is not a number with a decimal point."""
    return [
        f"{function.name}: {ast.unparse(part)}"
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef)
        and any(
            word in ast.unparse(decorator)
            for decorator in function.decorator_list
            for word in ("compiled", "overload")
        )
        for part in ast.walk(function)
        if isinstance(part, ast.BinOp)
        and isinstance(part.op, ast.Pow)
        and "." not in ast.unparse(part.right)
    ]


@pytest.mark.parametrize("name", SOURCES)
def test_compiled_functions_have_no_integer_powers(name: str) -> None:
    assert _integer_powers((PACKAGE / f"{name}.py").read_text()) == []


def test_an_integer_power_is_found() -> None:
    assert _integer_powers("@compiled\ndef square(x):\n    return x**2\n") == ["square: x ** 2"]
    assert _integer_powers("@compiled\ndef square(x):\n    return x ** -0.5\n") == []
