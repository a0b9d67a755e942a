"""The command `hrta evidence`: evidence from results."""

from pathlib import Path
from typing import Annotated

import typer

from hrta.cli.options import MarkBrokenOption, ParentOption
from hrta.cli.paths import check_output, check_unread

app = typer.Typer(rich_markup_mode=None)


@app.command()
def evidence(
    kind: Annotated[str, typer.Argument(help="Kind of evidence: final_losses, races, ...")],
    files: Annotated[list[str], typer.Argument(help="Parquet files of the results.")],
    output: Annotated[Path, typer.Option(callback=check_output, help="Parquet file to write.")],
    fraction: Annotated[
        float, typer.Option(min=0, max=1, help="Final fraction of a run's steps.")
    ] = 0.02,
    parent: ParentOption = None,
    mark_broken: MarkBrokenOption = False,
) -> None:
    """Reduce results to evidence, with one row for each run."""
    from hrta.runtime.files import write_table
    from hrta.study.claims.evidence import collect
    from hrta.study.pipeline.repair import made_anew

    check_unread("--output", output, [output], files)
    with made_anew(mark_broken):
        table = collect(kind, files, fraction)
    write_table(table, output)
