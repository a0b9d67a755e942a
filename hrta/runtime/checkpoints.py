"""Checkpoints: the state of a long computation on disk, to resume it after it was killed."""

import json
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hrta.runtime.files import says_damaged, whole_file

# Writing may take this fraction of the time.
WRITING_FRACTION = 1 / 20
# The packages whose versions may change the last digits of a result.
PACKAGES = ("hrta", "numpy", "scipy", "numba", "torch")

State = dict[str, np.ndarray]


class BrokenCheckpointError(ValueError):
    """A checkpoint that is incomplete, or whose arrays cannot be the state of its computation.

    Args:
        path: the file.
        reason: what is wrong.
    """

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(f"{path}: not a complete checkpoint ({reason}); remove it to start again")


class ForeignCheckpointError(ValueError):
    """A checkpoint of another computation.

    Args:
        path: the file.
        key: where the two differ.
        current, saved: the values of the key.
    """

    def __init__(self, path: Path, key: str, current: object, saved: object) -> None:
        super().__init__(
            f"{path}: the checkpoint belongs to another computation: {key} must be "
            f"{_short(current)}; it is {_short(saved)}; remove it to start again"
        )


class Checkpoint:
    """A file NAME.npz with arrays and the identity of the computation they belong to.

    It is replaced atomically, so a process that is killed at any time leaves the last complete
    checkpoint.

    Args:
        path: the file.
        identity: everything that the state depends on, as JSON. The versions of the libraries are
            added.

    Raises:
        ValueError: the path does not end in .npz, or is a folder.
    """

    def __init__(self, path: str | Path, identity: Mapping[str, object]) -> None:
        self.path = Path(path)
        if self.path.suffix != ".npz" or self.path.is_dir():
            raise ValueError(f"checkpoint {path}: must be a file *.npz")
        versions = {package: version(package) for package in PACKAGES}
        # As it will be read back: JSON turns tuples into lists and keys into strings.
        self._identity = json.loads(json.dumps({**identity, **versions}))
        self._cost, self._written = 0.0, time.monotonic()

    def load(self) -> State:
        """The arrays; empty if the file does not exist.

        Raises:
            BrokenCheckpointError: the file is incomplete.
            ForeignCheckpointError: it belongs to another computation.
        """
        try:
            # Opened here: NumPy does not close a file that it cannot read.
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                state = dict(arrays)
            identity = dict(json.loads(str(state.pop("identity"))))
        except FileNotFoundError:
            return {}
        except Exception as error:
            if not says_damaged(error):
                raise
            raise self.broken(error) from None
        for key in dict.fromkeys([*self._identity, *identity]):
            saved, current = identity.get(key), self._identity.get(key)
            if saved != current:
                raise ForeignCheckpointError(self.path, key, current, saved)
        return state

    def broken(self, reason: object) -> BrokenCheckpointError:
        """The error for arrays that cannot be the state of the computation."""
        return BrokenCheckpointError(self.path, reason)

    def offer(self, state: Callable[[], State]) -> None:
        """Write the arrays that `state` returns, unless the last write was too recent."""
        started = time.monotonic()
        if started - self._written < self._cost / WRITING_FRACTION:
            return
        arrays: dict[str, Any] = {"identity": json.dumps(self._identity), **state()}
        with whole_file(self.path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)
        self._written = time.monotonic()
        self._cost = self._written - started


class Parts:
    """The tables of the finished parts of a computation, kept in a checkpoint if there is one.

    Raises:
        BrokenCheckpointError, ForeignCheckpointError: as `Checkpoint.load`.
    """

    def __init__(self, checkpoint: Checkpoint | None) -> None:
        self._checkpoint = checkpoint
        self._state = checkpoint.load() if checkpoint else {}
        self._saved: dict[str, list[pd.DataFrame]] = {}
        for name in self._state:
            part = name.rpartition("/")[0]
            self._saved.setdefault(part, []).append(self._read(name))

    def tables(
        self, part: str, compute: Callable[[], Sequence[pd.DataFrame]]
    ) -> Sequence[pd.DataFrame]:
        """The tables of this part, from the checkpoint or else computed."""
        if self._checkpoint is None:
            return compute()
        if part in self._saved:
            return self._saved[part]
        tables = compute()
        for number, table in enumerate(tables):
            self._state[f"{part}/{number}"] = np.frombuffer(table.to_parquet(), np.uint8)
        self._checkpoint.offer(lambda: self._state)
        return tables

    def _read(self, name: str) -> pd.DataFrame:
        assert self._checkpoint is not None
        try:
            return pd.read_parquet(BytesIO(self._state[name].tobytes()))
        except Exception as error:
            if not says_damaged(error):
                raise
            raise self._checkpoint.broken(f"{name}: {error}") from None


def _short(value: object) -> str:
    return textwrap.shorten(json.dumps(value), 60, placeholder=" ...")
