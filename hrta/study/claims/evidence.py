"""The compact tables that verdicts are drawn from: results, reduced to one row for each run."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from hrta.runtime.files import read_tables
from hrta.study.claims.kinds import KINDS, Kind
from hrta.study.claims.reductions import with_words


def collect(kind: str, files: Iterable[str | Path], fraction: float = 0.02) -> pd.DataFrame:
    """The evidence of one kind from the files of its results.

    The files are reduced one at a time, so that one at most is in memory.

    Args:
        kind: one of `hrta.study.claims.kinds.KINDS`.
        files: Parquet files as the commands of hrta write them. The races' lie in a folder named
            after the race.
        fraction: the last part of a run's steps.

    Returns:
        Table with the key's columns first, sorted by them, one row for each key.

    Raises:
        ValueError: an unknown kind, no files, a file that is not of this kind, or two rows of the
            same key.
    """
    if kind not in KINDS:
        raise ValueError(f"evidence: unknown kind {kind!r}; there are {', '.join(KINDS)}")
    tables = [_reduced(KINDS[kind], Path(file), fraction) for file in files]
    if not tables:
        raise ValueError(f"evidence: no files for {kind}")
    table = with_words(pd.concat(tables, ignore_index=True))
    key = list(KINDS[kind].key)
    if table.duplicated(key).any():
        twice = table.loc[table.duplicated(key), key].iloc[0].to_dict()
        raise ValueError(f"evidence: {kind}: there are two rows of {twice}")
    rest = [name for name in table if name not in key]
    return table.sort_values(key, ignore_index=True)[[*key, *rest]]


def _reduced(kind: Kind, file: Path, fraction: float) -> pd.DataFrame:
    """The rows of one file, with the columns that its path gives."""
    names = {kind.folder: file.parent.name, kind.file: file.stem}
    try:
        table = read_tables(file, reduce=lambda table: kind.reduce(table, fraction))
    except KeyError as error:
        raise ValueError(f"{file}: not a result of this kind; there is no {error}") from None
    return table.assign(**{name: value for name, value in names.items() if name is not None})


def read_kind(folder: str | Path, kind: str) -> pd.DataFrame:
    """The evidence of one kind, from <kind>.parquet in that folder.

    Raises:
        ValueError: a file that is missing or no whole Parquet.
    """
    return with_words(read_tables(Path(folder, f"{kind}.parquet")))
