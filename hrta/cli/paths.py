"""The files that commands write: checked before the work, so that no result is lost after it."""

import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from hrta.runtime.files import check_writable


def check_output(output: Path | None) -> Path | None:
    """Refuse a table that cannot be written."""
    if output is not None:
        _check_suffix("--output", output, ".parquet")
        check_files("--output", output, [output])
    return output


def check_checkpoint(checkpoint: Path | None) -> Path | None:
    """Refuse a checkpoint that cannot be written; its folder is made when it is written."""
    if checkpoint is not None:
        _check_suffix("--checkpoint", checkpoint, ".npz")
        nearest = next(parent for parent in checkpoint.absolute().parents if parent.exists())
        _check_folder("--checkpoint", checkpoint, nearest)
    return checkpoint


def check_files(option: str, path: Path, files: Sequence[Path]) -> None:
    """Refuse files that cannot be written beside each other.

    Args:
        option: for the message.
        path: value of the option.
        files: all in the folder of the path.

    Raises:
        ValueError: one of them is a folder, or their folder does not exist or is not writable.
    """
    for file in files:
        if file.is_dir():
            raise ValueError(f"{option} {path}: {file} is a folder")
    folder = path.parent
    if not folder.exists() and not any(parent.is_file() for parent in folder.parents):
        raise ValueError(f"{option} {path}: there is no folder {folder}; make it first")
    _check_folder(option, path, folder)


def check_unread(option: str, path: Path, files: Sequence[Path], inputs: Sequence[str]) -> None:
    """Refuse to write a file that is also read, whatever the paths or links to it.

    Args:
        option, path: as for `check_files`.
        files: those that will be written.
        inputs: those that are read.

    Raises:
        ValueError: a file is among both; the message names it.
    """
    for file, each in product(files, inputs):
        both = file.exists() and Path(each).exists()
        if file.resolve() == Path(each).resolve() or (both and file.samefile(each)):
            raise ValueError(f"{option} {path}: must not be a file that is read; {each} is")


def _check_suffix(option: str, path: Path, suffix: str) -> None:
    if path.suffix != suffix or path.is_dir():
        raise ValueError(f"{option} {path}: must be a file *{suffix}")


def _check_folder(option: str, path: Path, folder: Path) -> None:
    try:
        check_writable(folder)
    except OSError as error:
        reason = os.strerror(error.errno)
        raise ValueError(f"{option} {path}: {folder} is not a writable folder: {reason}") from None
