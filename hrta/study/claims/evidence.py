"""Evidence: results reduced to compact tables, which claims and verification read."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from hrta.runtime.files import UnreadableError, read_tables
from hrta.study.claims.kinds import KINDS, Kind
from hrta.study.claims.reductions import with_words


def collect(kind: str, files: Iterable[str | Path], fraction: float = 0.02) -> pd.DataFrame:
    """The evidence of one kind from the files of its results.

    The files are reduced one at a time, so that at most one is in memory.

    Args:
        kind: one of `hrta.study.claims.kinds.KINDS`.
        files: Parquet files as the commands of hrta write them, those of a race in a folder with
            the name of the race.
        fraction: final fraction of a run's steps.

    Returns:
        Table with the columns of the key first, sorted by them, one row for each key.

    Raises:
        ValueError: an unknown kind, no files, a file that is not of this kind, or two rows with
            the same key.
    """
    if kind not in KINDS:
        raise ValueError(f"evidence: unknown kind {kind!r}; it must be one of {', '.join(KINDS)}")
    tables = [_reduced(KINDS[kind], Path(file), fraction) for file in files]
    if not tables:
        raise ValueError(f"evidence: no files for {kind}")
    table = with_words(pd.concat(tables, ignore_index=True))
    key = list(KINDS[kind].key)
    if table.duplicated(key).any():
        twice = table.loc[table.duplicated(key), key].iloc[0].to_dict()
        raise ValueError(f"evidence: {kind}: two rows have the key {twice}")
    rest = [name for name in table if name not in key]
    return table.sort_values(key, ignore_index=True)[[*key, *rest]]


def _reduced(kind: Kind, file: Path, fraction: float) -> pd.DataFrame:
    """The rows of one file, with the columns that are taken from its path."""
    names = {kind.folder_column: file.parent.name, kind.file_column: file.stem}
    try:
        table = read_tables(file, reduce=lambda table: kind.reduce(table, fraction))
    except KeyError as error:
        raise UnreadableError(file, f"missing: {error}", "result of this kind") from None
    return table.assign(**{name: value for name, value in names.items() if name is not None})


def read_kind(folder: str | Path, kind: str) -> pd.DataFrame:
    """The evidence of one kind, from <kind>.parquet in that folder.

    Raises:
        ValueError: a file that is missing or not a complete Parquet file.
    """
    return with_words(read_tables(Path(folder, f"{kind}.parquet")))
