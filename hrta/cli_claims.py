"""The command `hrta claims`."""

from pathlib import Path
from typing import Annotated

import typer

from hrta.cli_options import ParentOption
from hrta.processes import end_with

app = typer.Typer(rich_markup_mode=None)


@app.command()
def claims(
    evidence: Annotated[Path, typer.Argument(help="Folder of the evidence's tables.")],
    claims: Annotated[Path, typer.Option(help="YAML file of the claims.")] = Path(
        "config/claims.yaml"
    ),
    output: Annotated[
        Path | None, typer.Option(help="Stem of the files to write, .csv and .md.")
    ] = None,
    readme: Annotated[
        Path | None, typer.Option(help="Page whose block of the claims is written anew.")
    ] = None,
    parent: ParentOption = None,
) -> None:
    """Judge the claims; without --output and --readme print the verdicts."""
    end_with(parent)
    from hrta import claim_pages
    from hrta.claims import evaluate, read_evidence
    from hrta.config_claims import read_claims
    from hrta.results import whole_file

    given = read_claims(claims)
    # What can't be renewed is refused before anything is written.
    page = None if readme is None else claim_pages.split(readme.read_text(), str(readme))
    cells = evaluate(given, read_evidence(evidence, given))
    if output is not None:
        with whole_file(f"{output}.csv") as temporary:
            cells.to_csv(temporary, index=False)
        with whole_file(f"{output}.md") as temporary:
            temporary.write_text(claim_pages.page(given, cells, "../"))
    if page is not None:
        with whole_file(readme) as temporary:
            temporary.write_text(claim_pages.summary(given, cells).join(page))
    if output is None and readme is None:
        print(claim_pages.summary(given, cells))
