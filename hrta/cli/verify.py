"""The commands of the verification: `hrta verify` and `hrta reference`."""

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
) -> None:
    """Compare a run with the reference, number by number; a disagreement is an error."""
    from hrta.study.config.flat import relevant
    from hrta.study.verification.comparison import compare, disagreements, part_of, summary
    from hrta.study.verification.reference import differences, read_evidence, read_reference
    from hrta.study.verification.tuning import left_out

    expected, numbers = read_reference(reference)
    found, own_numbers = read_evidence(evidence)
    if differing := differences(relevant(numbers), relevant(own_numbers)):
        more = f" and {len(differing) - 3} more differ" if len(differing) > 3 else ""
        raise ValueError(
            f"{evidence}: configuration differs from the reference: "
            f"{'; '.join(differing[:3])}{more}"
        )
    deviations = compare(part_of(expected, found) if partial else expected, found)
    table = summary(deviations)
    print(table.to_string(index=False))
    for line in [*left_out(deviations), *disagreements(deviations)]:
        print(line)
    wrong = int((table["agree"] == "no").sum())
    if wrong:
        raise ValueError(f"verify: {wrong} of {len(table)} quantities disagree with {reference}")
    print(f"all {len(table)} quantities agree with {reference}")


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
    from hrta.study.verification.reference import records_of, write_reference

    if output.exists() and not output.is_dir():
        raise ValueError(f"{output}: must be a folder")
    facts = {"made": datetime.now(UTC).date().isoformat()} | _code(results)
    write_reference(evidence, output, records_of(results), facts, keep)


def _code(results: Path) -> dict[str, object]:
    """The commit of the code that made the results, and whether files differed from it."""
    from hrta.study.pipeline.manifest import read_manifest, version_control

    file = results / "manifest/manifest.json"
    if file.is_file():
        manifest = read_manifest(file)
        return {"commit": manifest.commit, "modified": manifest.modified}
    commit, modified = version_control(Path.cwd())
    return {"commit": commit, "modified": modified}
