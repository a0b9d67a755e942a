"""Execute a notebook with parameters; its copies appear only when all of it went well.

The draft is written cell by cell and stays where it is, also after a failure.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import nbconvert
import papermill
from papermill.exceptions import PapermillExecutionError

from hrta.runtime.files import whole_file
from hrta.runtime.processes import end_on_sigterm, end_with

KERNEL = "python3"


def execute(notebook: Path, parameters: dict[str, object], draft: Path) -> None:
    """Run the notebook into the draft.

    Raises:
        ValueError: a parameter that the notebook does not have, or a cell that fails.
    """
    known = papermill.inspect_notebook(str(notebook))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise ValueError(
            f"{notebook}: unknown parameters {', '.join(unknown)}; there are {', '.join(known)}"
        )
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(notebook), str(draft), parameters, kernel_name=KERNEL, progress_bar=False
        )
    except PapermillExecutionError as error:
        raise ValueError(f"{notebook}: failed; the executed copy is {draft}\n{error}") from None


def to_page(draft: Path) -> str:
    """The executed notebook as an HTML page that asks nobody for anything."""
    exporter = nbconvert.HTMLExporter(require_js_url="", mathjax_url="", jquery_url="")
    page, _ = exporter.from_filename(str(draft))
    return page


def main() -> None:
    """Execute as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--parameters", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--draft", type=Path, required=True)
    parser.add_argument("--executed", type=Path, required=True)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--parent", type=int, help="process whose end ends this one")
    arguments = parser.parse_args()
    end_on_sigterm()
    end_with(arguments.parent)
    try:
        execute(arguments.notebook, arguments.parameters, arguments.draft)
    except ValueError as error:
        sys.exit(str(error))
    with whole_file(arguments.page) as temporary:
        temporary.write_text(to_page(arguments.draft))
    with whole_file(arguments.executed) as temporary:
        shutil.copyfile(arguments.draft, temporary)


if __name__ == "__main__":
    main()
