"""The command `hrta profile`: where the time of a run goes."""

from pathlib import Path
from typing import Annotated

import typer

from hrta.study.pipeline.manifest import PLACE, folder_of, read_manifest

app = typer.Typer(rich_markup_mode=None)


@app.command()
def profile(
    manifest: Annotated[Path, typer.Argument(help="Manifest of the run.")] = PLACE,
    cores: Annotated[
        list[int], typer.Option(min=1, help="Number of cores to simulate. Repeatable.")
    ] = (2, 4, 8, 16, 64),
) -> None:
    """Show the time of a run by kind of job, its critical path, and runs on other cores."""
    from hrta.study.pipeline.profile import profile

    print(profile(read_manifest(manifest), folder_of(manifest), cores))
