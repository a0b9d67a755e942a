"""Files that cannot be written are refused before the work, and nothing is left of the attempt."""

import errno
import tempfile
from pathlib import Path

import pytest

from hrta.cli.paths import check_checkpoint, check_output, check_unread


def test_what_can_be_written_leaves_no_trace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path.relative_to(tmp_path)):
        output, checkpoint = folder / "a.parquet", folder / "new" / "more" / "a.npz"
        assert check_output(output) == output
        assert check_checkpoint(checkpoint) == checkpoint
    assert not list(tmp_path.iterdir())
    assert check_output(None) is None
    assert check_checkpoint(None) is None


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_a_folder_in_which_no_file_can_be_made_is_refused(tmp_path, monkeypatch, code):
    def refuse(**options):
        raise OSError(code, "not here", options["dir"])

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    for check, name in ((check_output, "a.parquet"), (check_checkpoint, "a.npz")):
        with pytest.raises(ValueError, match=f"{name}: {tmp_path} is not a writable folder: "):
            check(tmp_path / name)


def test_a_missing_folder_and_a_file_as_folder_are_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=f"there is no folder {tmp_path / 'new'}; make it first"):
        check_output(tmp_path / "new" / "a.parquet")
    for below in ("file", "file/more"):
        with pytest.raises(ValueError, match=f"{below} is not a writable folder: Not a directory"):
            check_output(tmp_path / below / "a.parquet")
    with pytest.raises(ValueError, match="file is not a writable folder"):
        check_checkpoint(tmp_path / "file" / "a.npz")
    with pytest.raises(ValueError, match=r"must be a file \*.parquet"):
        check_output(tmp_path)


def test_a_file_that_is_read_is_not_written_by_another_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    given = tmp_path / "a.parquet"
    given.touch()
    (tmp_path / "link.parquet").symlink_to(given)
    (tmp_path / "same.parquet").hardlink_to(given)
    for path in ("a.parquet", given, "folder/../a.parquet", "link.parquet", "same.parquet"):
        with pytest.raises(ValueError, match=r"must not be a file that is read; a\.parquet is"):
            check_unread("--output", Path(path), [Path("b.parquet"), Path(path)], ["a.parquet"])
    (tmp_path / "copy.parquet").touch()
    for path in ("copy.parquet", "new.parquet"):
        check_unread("--output", Path(path), [Path(path)], ["a.parquet", "none.parquet"])
