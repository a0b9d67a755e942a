"""Checkpoints: the state of a long computation on disk, to go on from after it was killed."""

import hashlib
import json
import textwrap
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.runtime.files import whole_file

# Writing may take that part of the time.
SHARE = 1 / 20
# What the last digits of a training depend on, beside its arguments.
PACKAGES = ("hrta", "numpy", "scipy", "numba", "torch")

State = dict[str, np.ndarray]


class Checkpoint:
    """A file NAME.npz that holds arrays, and what computation they belong to.

    It is replaced as a whole, never changed in place, so that a process that is killed at any
    moment leaves the last one that was finished.

    Args:
        path: of the file.
        identity: what tells this computation from others, JSON; anything else that the result
            depends on beside the versions of the libraries, which are added.

    Raises:
        ValueError: a path without the suffix .npz.
    """

    def __init__(self, path: str | Path, identity: Mapping[str, object]) -> None:
        self.path = Path(path)
        if self.path.suffix != ".npz" or self.path.is_dir():
            raise ValueError(f"checkpoint {path}: it must be a file *.npz")
        versions = {package: version(package) for package in PACKAGES}
        # As it will be read: tuples are lists there, and keys are words.
        self._identity = json.loads(json.dumps({**identity, **versions}))
        self._cost, self._written = 0.0, time.monotonic()

    def load(self) -> State:
        """The arrays, or none if there is no such file.

        Raises:
            ValueError: a file that is not whole, or of another computation.
        """
        try:
            # Opened here: NumPy does not close what it cannot read.
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                state = dict(arrays)
            identity = json.loads(str(state.pop("identity")))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{self.path}: not a whole checkpoint ({error}); remove it to begin anew"
            ) from None
        for key in dict.fromkeys([*self._identity, *identity]):
            there, here = identity.get(key), self._identity.get(key)
            if there != here:
                raise ValueError(
                    f"{self.path}: a checkpoint of another computation: {key} is {_short(there)} "
                    f"there and {_short(here)} here; remove it to begin anew"
                )
        return state

    def offer(self, state: Callable[[], State]) -> None:
        """Write what `state` returns, unless too little time has passed since the last time."""
        started = time.monotonic()
        if started - self._written < self._cost / SHARE:
            return
        with whole_file(self.path) as temporary, temporary.open("wb") as file:
            np.savez(file, identity=json.dumps(self._identity), **state())
        self._written = time.monotonic()
        self._cost = self._written - started


class Parts:
    """The tables of the finished parts of a computation, in a checkpoint if there is one.

    Raises:
        ValueError: as `Checkpoint.load`.
    """

    def __init__(self, checkpoint: Checkpoint | None) -> None:
        self._checkpoint = checkpoint
        self._state = checkpoint.load() if checkpoint else {}

    def has(self, part: str) -> bool:
        """Whether this part is kept."""
        return bool(self._names(part))

    def tables(
        self, part: str, compute: Callable[[], Sequence[pd.DataFrame]]
    ) -> Sequence[pd.DataFrame]:
        """The tables of this part, computed unless they are kept."""
        if self._checkpoint is None:
            return compute()
        if kept := self._names(part):
            return [pd.read_parquet(BytesIO(self._state[name].tobytes())) for name in kept]
        tables = compute()
        for number, table in enumerate(tables):
            self._state[f"{part}/{number}"] = np.frombuffer(table.to_parquet(), np.uint8)
        self._checkpoint.offer(lambda: self._state)
        return tables

    def _names(self, part: str) -> list[str]:
        return [name for name in self._state if name.rpartition("/")[0] == part]


def digest(*arrays: np.ndarray | None) -> str:
    """SHA-256 of the arrays' types, shapes and numbers."""
    sha256 = hashlib.sha256()
    for array in arrays:
        if array is not None:
            array = np.ascontiguousarray(array)
            sha256.update(f"{array.dtype.str}{array.shape}".encode())
            sha256.update(array.tobytes())
    return sha256.hexdigest()


def _short(value: object) -> str:
    return textwrap.shorten(json.dumps(value), 60, placeholder=" ...")
