"""The provenance of a result: versions, machine, wall time."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def provenance(wall_time: float) -> dict[str, object]:
    """Versions of Python and the packages, the machine, and the wall time [s] of a result."""
    packages = ("hrta", "torch", "numpy", "scipy", "pandas", "pyarrow")
    return {
        "versions": {"python": platform.python_version()} | {p: _version(p) for p in packages},
        "platform": platform.platform(),
        "cpu": _cpu_name(),
        "cpu_model": _cpu_model(),
        "wall_time": round(wall_time, 3),
    }


def _version(package: str) -> str:
    """The version of the loaded module, or else of the installed package."""
    loaded = getattr(sys.modules.get(package), "__version__", None)
    try:
        return str(loaded or version(package))
    except PackageNotFoundError:
        return "unknown"


def _cpu(*names: str) -> list[str]:
    """The values of the first processor in /proc/cpuinfo that have these names."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return []
    pairs = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    known = {name.strip(): value.strip() for name, _, value in pairs}
    return [known[name] for name in names if name in known]


def _cpu_name() -> str:
    return next(iter(_cpu("model name")), platform.processor())


def _cpu_model() -> str | None:
    """Family, model and stepping, as virtual machines give different models one name."""
    numbers = _cpu("cpu family", "model", "stepping")
    return "-".join(numbers) if len(numbers) == 3 else None
