"""The blocks of Python code of a page, and what they print.

    python tests/code_blocks.py docs/guide.md

runs them, one after another, and writes what each prints into a block of text after it.
"""

import io
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)
# Trainers of other packages, with warnings of their own.
OPTIONAL = ["pytorch_lightning", "transformers"]


class Block(NamedTuple):
    """A block of code.

    Attributes:
        code: its text.
        shown: what the page says that it prints.
        printed: what it printed.
    """

    code: str
    shown: str
    printed: str


def run(page: str, name: str) -> Iterator[Block]:
    """Run the blocks of a page in one namespace, in the folder that is current."""
    names = {"__name__": "page"}
    for code, shown in BLOCK.findall(page):
        output = io.StringIO()
        with warnings.catch_warnings(), redirect_stdout(output):
            if any(
                f"import {package}" in code or f"from {package}" in code for package in OPTIONAL
            ):
                warnings.simplefilter("ignore")
            exec(compile(code, name, "exec"), names)
        yield Block(code, shown, output.getvalue())


def with_output(page: str, name: str) -> str:
    """The page with what its blocks print."""
    blocks = run(page, name)

    def renewed(_: re.Match) -> str:
        block = next(blocks)
        output = f"\n```text\n{block.printed}```\n" if block.printed else ""
        return f"```python\n{block.code}```\n{output}"

    return BLOCK.sub(renewed, page)


if __name__ == "__main__":
    for path in map(Path.absolute, map(Path, sys.argv[1:])):
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            text = with_output(path.read_text(), path.name)
        path.write_text(text)
