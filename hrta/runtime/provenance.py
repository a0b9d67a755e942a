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
        "cpu": _cpu_model(),
        "wall_time": round(wall_time, 3),
    }


def _version(package: str) -> str:
    """The version of the loaded module, or else of the installed package."""
    loaded = getattr(sys.modules.get(package), "__version__", None)
    try:
        return str(loaded or version(package))
    except PackageNotFoundError:
        return "unknown"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
