"""Let Snakemake make a result anew that cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from hrta.runtime.files import UnreadableError

# The folder of Snakemake's metadata in that of the run.
RECORDS = Path(".snakemake")


@contextmanager
def made_anew(wanted: bool = True) -> Iterator[None]:
    """Mark a result that the block cannot read as incomplete; the next run makes it anew.

    It is not removed: Snakemake takes a figure to be up to date when a result behind it is gone.

    Args:
        wanted: whether to do that; the current folder must be that of the run.

    Raises:
        UnreadableError: that of the block, if it is not wanted.
        ValueError: the same in one line, with what to do.
    """
    try:
        yield
    except UnreadableError as error:
        if not wanted:
            raise
        _mark_incomplete(error.path)
        raise ValueError(f"{error}; the same snakemake command makes it anew") from None


def _mark_incomplete(path: Path) -> None:
    from snakemake.io import IOFile
    from snakemake.persistence.file import FilePersistence

    # As if a job had begun to write the file, and had been killed.
    job = SimpleNamespace(output=[IOFile(str(path))])
    FilePersistence(nolock=True, path=RECORDS.absolute()).started(job)
