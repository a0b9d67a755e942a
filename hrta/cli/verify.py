"""The commands of the verification: `hrta verify` and `hrta reference`."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None)
EvidenceArgument = Annotated[
    Path, typer.Argument(help="Folder of a run's evidence, results/evidence.")
]


@app.command()
def verify(
    evidence: EvidenceArgument,
    reference: Annotated[
        Path, typer.Argument(help="Folder of the reference, such as data/reference.")
    ],
    partial: Annotated[
        bool, typer.Option("--partial", help="Compare what the run has made, not all there is.")
    ] = False,
    results: Annotated[
        Path | None,
        typer.Option(help="Folder of the run's results: says on what and with which code."),
    ] = None,
    claims: Annotated[Path, typer.Option(help="YAML file of the claims.")] = Path(
        "config/claims.yaml"
    ),
    power: Annotated[
        bool, typer.Option("--power", help="Print the smallest differences that would be found.")
    ] = False,
) -> None:
    """Compare a run with the reference, number by number; a disagreement is an error."""
    from hrta.study.config.claims import read_claims
    from hrta.study.verification.power import power_table
    from hrta.study.verification.reference import read_evidence, read_references
    from hrta.study.verification.report import verified

    references = read_references(reference)
    found = read_evidence(evidence)
    if results is not None:
        found = replace(found, environment=_environment(results))
    judged = None if partial else read_claims(claims)
    if power:
        print(power_table(references[0], found, judged), end="")
        return
    comparisons, rows = verified(found, references, judged, partial)
    for number, each in enumerate(comparisons, start=1):
        print(f"reference {number}:", *each.lines(), sep="\n  ")
    print(rows.to_string(index=False, float_format="{:.2g}".format))
    wrong = int((rows["agree"] == "no").sum())
    if wrong:
        raise ValueError(f"verify: {wrong} of {len(rows)} quantities disagree with {reference}")
    print(f"all {len(rows)} quantities agree with {reference}")


@app.command()
def reference(
    evidence: EvidenceArgument,
    output: Annotated[Path, typer.Argument(help="Folder to write the reference to.")],
    results: Annotated[Path, typer.Option(help="Folder of the run's results with their records.")],
    keep: Annotated[
        list[Path], typer.Option(help="Further file to copy into the reference. Repeatable.")
    ] = (),
) -> None:
    """Make a reference from a run."""
    from hrta.study.verification.reference import write_reference

    if output.exists() and not output.is_dir():
        raise ValueError(f"{output}: must be a folder")
    made = {"made": datetime.now(UTC).date().isoformat()}
    write_reference(evidence, output, made | _environment(results), keep)


def _environment(results: Path) -> dict[str, object]:
    """The code that made the results, whether files differed from its commit, and the machines."""
    from hrta.study.pipeline.manifest import code_digest, read_manifest, version_control
    from hrta.study.verification.machines import machines, records_of

    file = results / "manifest/manifest.json"
    if file.is_file():
        manifest = read_manifest(file)
        commit, modified, code = manifest.commit, manifest.modified, code_digest(manifest.jobs)
    else:
        (commit, modified), code = version_control(Path.cwd()), None
    found = machines(records_of(results))
    return {"commit": commit, "modified": modified, "code": code, "machines": found}
