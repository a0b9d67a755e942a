"""Imports: at first use, with a hint at the extra that brings a package, and fast."""

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import cast

# The packages that modules import and each extra of pyproject.toml brings.
EXTRAS = {
    "train": ("numba", "pandas", "psutil", "scipy", "sklearn", "tqdm"),
    "study": (
        *("jinja2", "matplotlib", "nbclient", "nbconvert", "nbformat", "papermill", "pydantic"),
        *("rocrate", "seaborn", "snakemake", "statsmodels", "typer", "yaml"),
    ),
    "lightning": ("lightning", "pytorch_lightning"),
    "transformers": ("accelerate", "transformers"),
}


class MissingExtraError(ModuleNotFoundError):
    """A package is not installed; the message says which extra of hrta brings it.

    Args:
        user: what needs the package.
        package: its name in `EXTRAS`.
    """

    def __init__(self, user: str, package: str) -> None:
        extra = next(extra for extra, packages in EXTRAS.items() if package in packages)
        super().__init__(f'{user} needs {package}: pip install "hrta[{extra}]"', name=package)


def require(user: str, *packages: str) -> None:
    """Check that packages of an extra are installed, without importing them.

    Args:
        user: what needs them, the beginning of the message.
        packages: names of packages in `EXTRAS`.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtraError(user, package)


@contextmanager
def needed_by(user: str) -> Iterator[None]:
    """Within the block, an import of a package that is not installed says which extra brings it.

    An installed package that cannot be imported keeps its own error.

    Args:
        user: what needs the packages, the beginning of the message.

    Raises:
        MissingExtraError: a package in `EXTRAS` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if not any(missing in brought for brought in EXTRAS.values()):
            raise
        raise MissingExtraError(user, missing) from None


def at_first_use(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` (PEP 562) of a package that imports its modules at first use.

    Args:
        package: its dotted name.
        modules: its modules, and the names of each that are names of the package, too.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def getattr_(name: str) -> object:
        if name in homes:
            return getattr(import_module(f"{package}.{homes[name]}"), name)
        if name in modules:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return getattr_, lambda: sorted(sys.modules[package].__all__)


@contextmanager
def hidden(*packages: str) -> Iterator[None]:
    """Within the block these packages count as not installed, unless they are already imported."""
    names = [name for name in packages if name not in sys.modules]
    # Python refuses to import a module that is None here, which its type does not say.
    modules = cast(dict[str, ModuleType | None], sys.modules)
    modules.update(dict.fromkeys(names))
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


@contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection, for the imports of a process that then runs one job.

    Imports make many objects and little garbage. All objects at the end of the block are left out
    of later collections, such as the four that Python makes when it exits. This saves a fifth of
    the time of importing torch.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
