"""The commands of the workflow: python -m hrta.study.pipeline notebook | manifest | crate | report.

All paths are relative to the folder of the run, which must be the current folder.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter

from hrta.runtime.files import write_json
from hrta.runtime.imports import hidden, uncollected
from hrta.runtime.processes import end_on_sigterm, end_with
from hrta.study.pipeline.repair import made_anew

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


def read_json(text: str) -> Any:
    """The content of JSON, or of a file of it: an argument has at most 128 KiB."""
    return json.loads(text if text[:1] in ("{", "[") else Path(text).read_text(encoding="utf-8"))


JSON = {"parser": read_json, "metavar": "JSON"}


@app.command()
def notebook(
    notebook: Path,
    parameters: Annotated[Any, typer.Argument(**JSON)],
    draft: Annotated[Path, typer.Option()],
    executed: Annotated[Path, typer.Option()],
    page: Annotated[Path, typer.Option()],
    parent: Annotated[int | None, typer.Option(callback=end_with)] = None,
) -> None:
    """Execute a notebook."""
    from hrta.study.pipeline.notebook import execute

    execute(notebook, parameters, draft, executed, page)


@app.command()
def manifest(
    jobs: Annotated[Any, typer.Argument(**JSON)],
    configuration: list[Path],
    code: Annotated[Path, typer.Option(help="Folder of the workflow.")],
    output: Annotated[Path, typer.Option()],
) -> None:
    """Write the manifest of these jobs."""
    from hrta.study.pipeline.recorded import RecordedJob
    from hrta.study.pipeline.recording import make_manifest

    recorded = TypeAdapter(list[RecordedJob]).validate_python(jobs)
    made = make_manifest(recorded, configuration, code)
    write_json(made.model_dump(mode="json"), output)


@app.command()
def crate(
    manifest: Path,
    more: list[Path],
    code: Annotated[Path, typer.Option(help="Folder of the workflow.")],
    output: Annotated[Path, typer.Option(help="*.json or *.zip.")],
) -> None:
    """Write the crate with the files of the manifest and further files and folders."""
    from hrta.study.pipeline.archive import write_crate

    write_crate(manifest, code, more, output)


@app.command()
def report(
    contents: Annotated[Any, typer.Option(**JSON)],
    configuration: Annotated[Any, typer.Option(**JSON)],
    template: Annotated[Path, typer.Option(help="Template of the page, beside captions/.")],
    claims: Annotated[Path, typer.Option(help="YAML file of the claims.")],
    cells: Annotated[Path, typer.Option(help="CSV file of the verdicts.")],
    manifest: Annotated[Path, typer.Option()],
    page: Annotated[Path, typer.Option(help="HTML file to write.")],
) -> None:
    """Write the report."""
    from hrta.study.pipeline.item import Item

    # As for a notebook, in notebook.py.
    with hidden("rfc3987_syntax"), uncollected():
        from hrta.study.pipeline.report import Report, write_report

    items = TypeAdapter(list[Item]).validate_python(contents)
    write_report(Report(items, configuration, template, claims, cells, manifest), page)


def main() -> None:
    """Run a command; an error ends in one line."""
    end_on_sigterm()
    try:
        with made_anew():
            app()
    except (ValueError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
