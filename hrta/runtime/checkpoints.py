"""Checkpoints: the state of a long computation on disk, to resume it after it was killed."""

import json
import textwrap
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hrta.runtime.files import whole_file

# Writing may take this fraction of the time.
WRITING_FRACTION = 1 / 20
# The packages whose versions may change the last digits of a result.
PACKAGES = ("hrta", "numpy", "scipy", "numba", "torch")

State = dict[str, np.ndarray]


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
            ValueError: the file is incomplete, or belongs to another computation.
        """
        try:
            # Opened here: NumPy does not close a file that it cannot read.
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                state = dict(arrays)
            identity = json.loads(str(state.pop("identity")))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{self.path}: not a complete checkpoint ({error}); remove it to start again"
            ) from None
        for key in dict.fromkeys([*self._identity, *identity]):
            saved, current = identity.get(key), self._identity.get(key)
            if saved != current:
                raise ValueError(
                    f"{self.path}: the checkpoint belongs to another computation: {key} must be "
                    f"{_short(current)}; it is {_short(saved)}; remove it to start again"
                )
        return state

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
        ValueError: as `Checkpoint.load`.
    """

    def __init__(self, checkpoint: Checkpoint | None) -> None:
        self._checkpoint = checkpoint
        self._state = checkpoint.load() if checkpoint else {}

    def has(self, part: str) -> bool:
        """Whether the checkpoint has this part."""
        return bool(self._names(part))

    def tables(
        self, part: str, compute: Callable[[], Sequence[pd.DataFrame]]
    ) -> Sequence[pd.DataFrame]:
        """The tables of this part, from the checkpoint or else computed."""
        if self._checkpoint is None:
            return compute()
        if saved := self._names(part):
            return [pd.read_parquet(BytesIO(self._state[name].tobytes())) for name in saved]
        tables = compute()
        for number, table in enumerate(tables):
            self._state[f"{part}/{number}"] = np.frombuffer(table.to_parquet(), np.uint8)
        self._checkpoint.offer(lambda: self._state)
        return tables

    def _names(self, part: str) -> list[str]:
        return [name for name in self._state if name.rpartition("/")[0] == part]


def _short(value: object) -> str:
    return textwrap.shorten(json.dumps(value), 60, placeholder=" ...")
