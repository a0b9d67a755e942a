"""Files that are written atomically; tables as Parquet, records as JSON."""

import errno
import hashlib
import json
import os
import re
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class UnreadableError(ValueError):
    """A result that is incomplete or damaged, in one line that begins with its path.

    Args:
        path: the file.
        reason: why it cannot be read; its first line is shown, alone if it begins with the path.
        what: what the file is not.
    """

    def __init__(self, path: str | Path, reason: object, what: str = "readable result") -> None:
        first = next(iter(str(reason).splitlines()), type(reason).__name__)
        whole = first.startswith(f"{path}: ")
        super().__init__(first if whole else f"{path}: not a {what} ({first})")
        self.path = Path(path)


def says_damaged(error: Exception) -> bool:
    """Whether an error of reading a file means that the file is damaged.

    What libraries raise then depends on the byte that is wrong. Errors of the system, such as
    missing permissions, have a number; EINVAL is a wrong position in the file.
    """
    of_system = isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
    return not (of_system or isinstance(error, MemoryError))


def set_aside(path: str | Path) -> Path:
    """Rename a file that is of no use to PATH.broken, which is replaced; returns that path."""
    aside = Path(f"{path}.broken")
    Path(path).replace(aside)
    return aside


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A temporary path in the same folder, renamed to `path` when the block succeeds.

    Temporary files for this path that killed processes of this machine left are removed first.

    Raises:
        OSError: the file cannot be written; `path` is unchanged.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    host = socket.gethostname()
    for stale in path.parent.glob(f".{path.stem}.{host}-*{path.suffix}"):
        owner = stale.name.removeprefix(f".{path.stem}.{host}-").partition("-")[0]
        if owner.isdigit() and not _is_alive(int(owner)):
            stale.unlink(missing_ok=True)
    # Two threads may write the same file.
    owner = f"{host}-{os.getpid()}-{threading.get_ident()}"
    temporary = path.with_name(f".{path.stem}.{owner}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise OSError(f"{path}: cannot be written: {reason}") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(folder: str | Path) -> None:
    """Raise the OSError that a new file in the folder would raise.

    Permission bits do not tell: root, access lists and read-only disks differ from them.
    """
    with tempfile.TemporaryFile(dir=folder):
        pass


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def local_path(path: object) -> Path:
    """The path of a file on this machine.

    Raises:
        ValueError: not a path, or an address, whose content could change unnoticed.
    """
    if not isinstance(path, str | Path) or "\0" in str(path):
        raise ValueError(f"path must be that of a file; it is {path!r}")
    # A Path has a single slash after the colon.
    if re.match("[A-Za-z][A-Za-z0-9+.-]+:/", str(path)):
        raise ValueError(f"{path}: path must be that of a file on this machine; download it first")
    return Path(path)


def write_table(table: "pd.DataFrame", path: str | Path) -> None:
    """Write the table as Parquet; equal tables give equal bytes."""
    with whole_file(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_tables(
    *paths: str | Path, reduce: "Callable[[pd.DataFrame], pd.DataFrame]" = lambda table: table
) -> "pd.DataFrame":
    """The rows of several Parquet files with the same columns, concatenated.

    Args:
        paths: the files.
        reduce: applied to each table before they are concatenated, to save memory.

    Raises:
        ValueError: a file is missing, or not on this machine.
        UnreadableError: a file is not a complete Parquet file.
    """
    import pandas as pd

    tables = []
    for path in map(local_path, paths):
        try:
            table = pd.read_parquet(path)
        except FileNotFoundError:
            raise ValueError(f"{path}: there is no such file") from None
        except Exception as error:
            if not says_damaged(error):
                raise
            raise UnreadableError(path, error) from None
        tables.append(reduce(table))
    joined = pd.concat(tables, ignore_index=True)
    texts = joined.select_dtypes(exclude=["number", "bool"]).columns
    return joined.astype(dict.fromkeys(texts, "category"))


def write_json(content: Mapping[str, object], path: str | Path) -> None:
    """Write the mapping as indented JSON."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
