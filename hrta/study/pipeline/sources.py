"""What planning reads from the workflow's own files: imports of modules, titles of notebooks."""

import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# The folder of the workflow.
HOME = Path(__file__).parents[3]
CONFIGURATION = HOME / "config" / "replication.yaml"


def sources(*modules: str) -> list[str]:
    """The files of these modules and of all modules of the package that they import.

    Imports inside functions count; modules imported by name as a string, or for a type checker
    only, do not.

    Args:
        modules: dotted names, such as hrta.study.experiments.spectra.

    Returns:
        Paths relative to the current folder, sorted.
    """
    for name in modules:
        if not HOME.joinpath(*name.split(".")).with_suffix(".py").exists():
            sys.exit(f"workflow: {name}: there is no such module")
    return [relative(file) for file in _all_files_of(modules)]


def notebook_sources(name: str) -> list[str]:
    """The files of all modules of the package that a notebook imports.

    Args:
        name: name in notebooks/, without suffix.
    """
    return [relative(file) for file in _all_files_of(tuple(_imported(_notebook(name))))]


def notebook_title(name: str) -> str:
    """The title of a notebook: its first Markdown heading of level 1.

    Args:
        name: name in notebooks/, without suffix.
    """
    heading = re.search(r"^# +(.+)$", _texts(_notebook(name))["markdown"], re.MULTILINE)
    if heading is None:
        sys.exit(f"workflow: {_notebook(name)}: no title; begin a Markdown cell with '# TITLE'")
    return heading[1].strip()


def relative(file: Path) -> str:
    """The path of a file of the workflow relative to the current folder.

    Relative paths allow to move the folder of a workflow that runs in it.
    """
    return str(_from_here(Path.cwd()) / file.relative_to(HOME))


def workflow_file(path: str = ".") -> str:
    """As `relative`, for a file or folder given by its path in the workflow."""
    return relative(HOME / path)


@cache
def _from_here(folder: Path) -> Path:
    return Path(os.path.relpath(HOME, folder))


@cache
def _all_files_of(modules: tuple[str, ...]) -> list[Path]:
    found, waiting = set(), list(modules)
    while waiting:
        for file in _files_of(waiting.pop()):
            if file not in found:
                found.add(file)
                waiting += _imported(file)
    return sorted(found)


@cache
def _files_of(name: str) -> list[Path]:
    """The files of a dotted name: its module, and the packages that contain it."""
    parts = name.split(".")
    places = [HOME.joinpath(*parts[: i + 1]) for i in range(len(parts))]
    packages = [place / "__init__.py" for place in places]
    return [file for file in [*packages, places[-1].with_suffix(".py")] if file.exists()]


@cache
def _imported(file: Path) -> list[str]:
    """The dotted names that a module or a notebook imports from the package."""
    text = _texts(file)["code"] if file.suffix == ".ipynb" else file.read_text(encoding="utf-8")
    try:
        tree = ast.parse(text, filename=str(file))
    except SyntaxError as error:
        sys.exit(f"workflow: {error.filename}:{error.lineno}: {error.msg}")
    return list(dict.fromkeys(_names(tree)))


def _names(tree: ast.AST) -> Iterator[str]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        # What only a type checker imports never runs.
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hrta"):
            yield from (node.module, *(f"{node.module}.{part.name}" for part in node.names))
        elif isinstance(node, ast.Import):
            yield from (part.name for part in node.names if part.name.startswith("hrta"))


def _notebook(name: str) -> Path:
    return HOME / "notebooks" / f"{name}.ipynb"


@cache
def _texts(notebook: Path) -> dict[str, str]:
    """The code and the Markdown of a notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return {
        kind: "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind)
        for kind in ("code", "markdown")
    }
