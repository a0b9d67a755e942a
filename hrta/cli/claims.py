"""The command `hrta claims`: verdicts on the claims from the evidence."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hrta.cli.options import MarkBrokenOption, ParentOption
from hrta.cli.paths import check_files
from hrta.cli.terminal import terminal_width

app = typer.Typer(rich_markup_mode=None)


@app.command()
def claims(
    evidence: Annotated[Path, typer.Argument(help="Folder of the evidence.")],
    claims: Annotated[Path, typer.Option(help="YAML file of the claims.")] = Path(
        "config/claims.yaml"
    ),
    output: Annotated[
        Path | None, typer.Option(help="Path without suffix of the files to write, .csv and .md.")
    ] = None,
    readme: Annotated[
        Path | None, typer.Option(help="Page whose block of claims is replaced.")
    ] = None,
    guide: Annotated[
        Path | None, typer.Option(help="Page whose block of choices is replaced.")
    ] = None,
    parent: ParentOption = None,
    mark_broken: MarkBrokenOption = False,
) -> None:
    """Judge the claims; without any page to write the verdicts are printed.

    On a terminal they are lines of its width, otherwise a table in Markdown.
    """
    from hrta.runtime.files import whole_file
    from hrta.study.analysis.blocks import with_block
    from hrta.study.analysis.choices import guide_block
    from hrta.study.claims import pages as claim_pages
    from hrta.study.claims.evidence import read_kind
    from hrta.study.claims.judgement import evaluate, read_judged
    from hrta.study.config.claims import read_claims
    from hrta.study.pipeline.repair import made_anew

    if output is not None:
        check_files("--output", output, [Path(f"{output}{suffix}") for suffix in (".csv", ".md")])
    if not claims.is_file():
        raise ValueError(f"{claims}: there is no such file; a checkout has it, or give --claims")
    given = read_claims(claims)
    with made_anew(mark_broken):
        cells = evaluate(given, read_judged(evidence, given))
    pages = {}
    if readme is not None:
        block = claim_pages.readme_block(given, cells)
        pages[readme] = with_block(readme.read_text(encoding="utf-8"), str(readme), "claims", block)
    if guide is not None:
        block = guide_block(read_kind(evidence, "races"))
        pages[guide] = with_block(guide.read_text(encoding="utf-8"), str(guide), "choices", block)
    if output is not None:
        pages[f"{output}.csv"] = cells.to_csv(index=False)
        pages[f"{output}.md"] = claim_pages.page(given, cells, "../")
    for path, text in pages.items():
        with whole_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if not pages:
        width = terminal_width()
        text = claim_pages.summary if width is None else partial(claim_pages.lines, width=width)
        print(text(given, cells), end="")
