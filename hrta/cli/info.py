"""The command `hrta info`: the provenance of a file, or the state of all."""

from pathlib import Path
from typing import Annotated

import typer

from hrta.cli.terminal import terminal_width
from hrta.study.pipeline.info import WIDTH, differing, explain
from hrta.study.pipeline.manifest import PLACE, find_manifest, folder_of, read_manifest

app = typer.Typer(rich_markup_mode=None)


@app.command()
def info(
    file: Annotated[
        Path | None, typer.Argument(help="A figure, table, result or data file of a run.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            help=f"Manifest of the run; by default {PLACE} in the nearest folder above the file."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare all files of the run with the manifest.")
    ] = False,
) -> None:
    """Show how a file was made, and whether it or its inputs have changed since."""
    if file is None and not check:
        raise typer.BadParameter("name a file, or give --check")
    place = manifest or find_manifest(file or Path("any file here"))
    if check:
        _check(place)
        return
    width = min(terminal_width() or WIDTH, WIDTH)
    print(explain(file, read_manifest(place), folder_of(place), width))


def _check(place: Path) -> None:
    manifest = read_manifest(place)
    changed = differing(manifest, folder_of(place))
    for path, how in changed.items():
        print(f"{path}: {how}")
    if changed:
        raise ValueError(
            f"{len(changed)} of {len(manifest.artifacts)} files are not as in {place}; snakemake "
            "--forcerun FILE ... makes them anew"
        )
    print(f"all {len(manifest.artifacts)} files are as in {place}")
