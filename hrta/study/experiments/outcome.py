"""What an experiment gives, and how it tells how far it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

Progress = Callable[[int, int], None]


def quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Outcome:
    """What an experiment gives.

    Attributes:
        table: the result, tidy.
        dtype: precision of the computation.
        device: what it was computed on.
        second: the other table, of specs that have a `second_table`.
        facts: what else is recorded: the engine, the diverged runs.
    """

    table: pd.DataFrame
    dtype: str
    device: str = "cpu"
    second: pd.DataFrame | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
