"""The commands of the verification: `hrta verify` and `hrta reference`."""

import subprocess
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
    reference: Annotated[Path, typer.Argument(help="Folder of the reference, data/reference.")],
) -> None:
    """Compare a run with the reference, number by number; a disagreement is an error."""
    from hrta.reference import differences, read_evidence, read_reference
    from hrta.verification import compare, disagreements, summary

    expected, numbers = read_reference(reference)
    found, own_numbers = read_evidence(evidence)
    if differing := differences(numbers, own_numbers):
        more = f" and {len(differing) - 3} more differ" if len(differing) > 3 else ""
        raise ValueError(
            f"{evidence}: not of the reference's configuration: {'; '.join(differing[:3])}{more}"
        )
    deviations = compare(expected, found)
    table = summary(deviations)
    print(table.to_string(index=False))
    for line in disagreements(deviations):
        print(line)
    wrong = int((table["agree"] == "no").sum())
    if wrong:
        raise ValueError(f"verify: {wrong} of {len(table)} quantities disagree with {reference}")
    print(f"all {len(table)} quantities agree with {reference}")


@app.command()
def reference(
    evidence: EvidenceArgument,
    output: Annotated[Path, typer.Argument(help="Folder to write the reference to.")],
    results: Annotated[Path, typer.Option(help="Folder of the run's results and their records.")],
    keep: Annotated[
        list[Path], typer.Option(help="Another file to keep with it. Repeatable.")
    ] = [],  # noqa: B006
) -> None:
    """Make a reference from a run."""
    from hrta.reference import write_reference

    if output.exists() and not output.is_dir():
        raise ValueError(f"{output}: it is no folder")
    facts = {"made": datetime.now(UTC).date().isoformat(), "commit": _commit()}
    records = [file for file in results.rglob("*.json") if evidence not in file.parents]
    write_reference(evidence, output, records, facts, keep)


def _commit() -> str | None:
    """The commit of the folder that is worked in, if it has one."""
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return asked.stdout.strip()
