"""Results on disk: Parquet with a JSON beside it, whole or not there at all."""

import hashlib
import json
import os
import platform
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from hrta.problems import Problem


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path` that becomes `path` when the block ends well.

    What a killed process of this machine left of the same file is removed first.

    Raises:
        OSError: a file that cannot be written; `path` is as it was before.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    host = socket.gethostname()
    for stale in path.parent.glob(f".{path.stem}.{host}-*{path.suffix}"):
        owner = stale.name.removeprefix(f".{path.stem}.{host}-").removesuffix(path.suffix)
        if owner.isdigit() and not _is_alive(int(owner)):
            stale.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.stem}.{host}-{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise OSError(f"{path}: it cannot be written: {reason}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """The table as Parquet; the same table gives the same bytes."""
    with whole_file(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_tables(
    *paths: str | Path, reduce: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table
) -> pd.DataFrame:
    """The rows of several Parquet files of the same kind, one after another.

    Args:
        paths: the files.
        reduce: applied to each file's table by itself, so that not all of them need fit in memory.

    Raises:
        ValueError: a file that is missing or no whole Parquet.
    """
    tables = []
    for path in paths:
        try:
            table = pd.read_parquet(path)
        except FileNotFoundError:
            raise ValueError(f"{path}: there is no such file") from None
        except (OSError, ValueError) as error:
            raise ValueError(f"{path}: not a readable result ({error})") from None
        tables.append(reduce(table))
    joined = pd.concat(tables, ignore_index=True)
    words = joined.select_dtypes(exclude=["number", "bool"]).columns
    return joined.astype(dict.fromkeys(words, "category"))


def write_json(content: Mapping[str, object], path: str | Path) -> None:
    """The mapping as indented JSON."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def provenance(arguments: Mapping[str, object], wall_time: float) -> dict[str, object]:
    """What a result came from: its arguments and their hash, versions, machine, wall time [s]."""
    packages = ("hrta", "torch", "numpy", "scipy", "pandas", "pyarrow")
    canonical = json.dumps(arguments, sort_keys=True)
    return {
        "arguments": dict(arguments),
        "config_hash": hashlib.sha256(canonical.encode()).hexdigest(),
        "versions": {"python": platform.python_version()} | {p: _version(p) for p in packages},
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "wall_time": round(wall_time, 3),
    }


def _version(package: str) -> str:
    """Of the module in use where it is loaded and says so, else of what is installed."""
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


def write_problem(problem: Problem, path: str | Path) -> None:
    """The problem as Parquet, with its SHA-256 beside it in a form that `sha256sum -c` reads.

    Columns: set ("train" or "test"), problem, x1 .. xd, y: numbers, or classes as integers.
    """
    parts = {"train": (problem.x, problem.y)}
    if problem.x_test is not None:
        parts["test"] = (problem.x_test, problem.y_test)
    frames = []
    for name, (x, y) in parts.items():
        frame = pd.DataFrame(x, columns=[f"x{i + 1}" for i in range(problem.inputs)])
        frame.insert(0, "set", name)
        frame.insert(1, "problem", problem.name)
        frames.append(frame.assign(y=y))
    write_table(pd.concat(frames, ignore_index=True), path)
    with whole_file(f"{path}.sha256") as temporary:
        temporary.write_text(f"{sha256(path)}  {Path(path).name}\n")


def read_problem(path: str | Path) -> Problem:
    """A problem as `write_problem` wrote it.

    Raises:
        ValueError: a file that is missing, not whole, not a problem, or not of the SHA-256 beside
            it (where there is one).
    """
    table = read_tables(path)
    recorded = Path(f"{path}.sha256")
    if recorded.exists() and recorded.read_text().split()[:1] != [sha256(path)]:
        raise ValueError(f"{path}: its content is not that of {recorded}; make the data again")
    inputs = [f"x{i + 1}" for i in range(sum(c[1:].isdigit() for c in table.columns))]
    if not inputs or list(table.columns) != ["set", "problem", *inputs, "y"]:
        raise ValueError(
            f"{path}: not a problem; its columns are {', '.join(table.columns)} and should be "
            "set, problem, x1 .. xd, y"
        )
    train, test = table[table["set"] == "train"], table[table["set"] == "test"]
    held_out = (test[inputs].to_numpy(), test["y"].to_numpy()) if len(test) else (None, None)
    name = str(table["problem"].iloc[0])
    # Every class has a training point, so the last one is there.
    classes = int(train["y"].max()) + 1 if table["y"].dtype.kind == "i" else None
    return Problem(name, train[inputs].to_numpy(), train["y"].to_numpy(), *held_out, classes)
