"""The result of an experiment, and the callback for its progress."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

Progress = Callable[[int, int], None]


def quiet(done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Outcome:
    """The result of an experiment.

    Attributes:
        table: the tidy table.
        dtype: precision of the computation.
        device: name of the GPU, or cpu.
        second: the second table, of specs that have a `second_table`.
        facts: further values for the record: the engine, the diverged runs.
    """

    table: pd.DataFrame
    dtype: str
    device: str = "cpu"
    second: pd.DataFrame | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
