"""The command `hrta info`: the provenance of a file."""

from pathlib import Path
from typing import Annotated

import typer

from hrta.cli.terminal import terminal_width
from hrta.study.pipeline.info import WIDTH, explain
from hrta.study.pipeline.manifest import PLACE, find_manifest, folder_of, read_manifest

app = typer.Typer(rich_markup_mode=None)


@app.command()
def info(
    file: Annotated[Path, typer.Argument(help="A figure, table, result or data file of a run.")],
    manifest: Annotated[
        Path | None,
        typer.Option(
            help=f"Manifest of the run; by default {PLACE} in the nearest folder above the file."
        ),
    ] = None,
) -> None:
    """Show how a file was made, and whether it or its inputs have changed since."""
    place = manifest or find_manifest(file)
    width = min(terminal_width() or WIDTH, WIDTH)
    print(explain(file, read_manifest(place), folder_of(place), width))
