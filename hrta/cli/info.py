"""The command `hrta info`: how a file came to be."""

from pathlib import Path
from typing import Annotated

import typer

from hrta.study.pipeline.info import explain
from hrta.study.pipeline.manifest import PLACE, find_manifest, folder_of, read_manifest

app = typer.Typer(rich_markup_mode=None)


@app.command()
def info(
    file: Annotated[Path, typer.Argument(help="A figure, table, result or data file of a run.")],
    manifest: Annotated[
        Path | None,
        typer.Option(
            help=f"Of the run; by default the {PLACE} in the nearest folder above the file."
        ),
    ] = None,
) -> None:
    """Say how a file came to be, and whether it or what it was made from has changed since."""
    place = manifest or find_manifest(file)
    print(explain(file, read_manifest(place), folder_of(place)))
