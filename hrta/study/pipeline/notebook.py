"""Execute a notebook with parameters; its outputs are written only if every cell succeeds."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hrta.runtime.files import read_tables, whole_file
from hrta.runtime.imports import hidden, uncollected

KERNEL = "python3"
# The folders of IPython and Jupyter, by default in the home folder.
FOLDERS = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
# Number of lines of a traceback that are shown; the last ones are about the error.
LINES = 20


def execute(
    notebook: Path, parameters: Mapping[str, object], draft: Path, executed: Path, page: Path
) -> None:
    """Run a notebook.

    Args:
        notebook: the notebook.
        parameters: values for its cell of parameters.
        draft: copy that is written cell by cell and kept after an error.
        executed: the executed notebook, written after success.
        page: its HTML page, written after success.

    Raises:
        ValueError: an unknown parameter, or a cell that fails.
        UnreadableError: a cell fails, and one of the results among the parameters is unreadable.
    """
    # With these two, papermill and nbconvert take three times as long to import: jsonschema would
    # compile the grammar of IRIs, which notebooks do not have, and papermill prepare to use HDFS.
    with hidden("rfc3987_syntax", "pyarrow"), uncollected():
        import nbconvert
        import papermill
        from nbclient.exceptions import DeadKernelError
        from papermill.exceptions import PapermillExecutionError

    known = papermill.inspect_notebook(str(notebook))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise ValueError(
            f"{notebook}: unknown parameters {', '.join(unknown)}; allowed are {', '.join(known)}"
        )
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _without_settings():
            papermill.execute_notebook(
                str(notebook), str(draft), dict(parameters), kernel_name=KERNEL, progress_bar=False
            )
    except PapermillExecutionError as error:
        _check_results(parameters)
        # As text the error has no codes for colours. Its first three lines name the cell.
        shown = "\n".join(str(error).rstrip().splitlines()[3:][-LINES:])
        raise ValueError(
            f"{notebook}: cell [{error.exec_count}] failed\n{shown}\n{_kept(draft)}"
        ) from None
    except DeadKernelError:
        raise ValueError(
            f"{notebook}: its process ended in a cell, perhaps for lack of memory\n{_kept(draft)}"
        ) from None
    # The page loads nothing from the network.
    exporter = nbconvert.HTMLExporter(require_js_url="", mathjax_url="", jquery_url="")
    with whole_file(page) as temporary:
        temporary.write_text(exporter.from_filename(str(draft))[0], encoding="utf-8")
    with whole_file(executed) as temporary:
        shutil.copyfile(draft, temporary)


def _check_results(parameters: Mapping[str, object]) -> None:
    """Read the results among the parameters, which are lists of paths."""
    for value in parameters.values():
        for file in value if isinstance(value, list) else []:
            if str(file).endswith(".parquet"):
                read_tables(file)


@contextmanager
def _without_settings() -> Iterator[None]:
    """Within the block a kernel has no settings of the user, and needs no home folder."""
    with TemporaryDirectory(prefix="hrta-", ignore_cleanup_errors=True) as folder:
        os.environ.update(dict.fromkeys(FOLDERS, folder))
        yield


def _kept(draft: Path) -> str:
    return f"the notebook up to the error, with all details: {draft}"
