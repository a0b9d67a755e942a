"""The reference: the evidence of one full replication, kept for comparison with others."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from hrta.runtime.files import sha256, whole_file, write_json
from hrta.study.claims.evidence import read_kind
from hrta.study.claims.kinds import KINDS

CONFIGURATION, ENVIRONMENT, SUMS = "configuration.json", "environment.json", "SHA256SUMS"
# Files of the folder without a checksum.
UNLISTED = {SUMS, "README.md"}


def read_evidence(folder: str | Path) -> tuple[dict[str, pd.DataFrame], dict[str, object]]:
    """The evidence of a run by kind, and its configuration.

    Raises:
        ValueError: a folder without evidence, or an incomplete file.
    """
    folder = Path(folder)
    configuration = _read_json(folder / CONFIGURATION)
    kinds = [kind for kind in KINDS if (folder / f"{kind}.parquet").exists()]
    if not kinds:
        raise ValueError(f"{folder}: no evidence of a run")
    return {kind: read_kind(folder, kind) for kind in kinds}, configuration


def read_reference(folder: str | Path) -> tuple[dict[str, pd.DataFrame], dict[str, object]]:
    """As `read_evidence`, of a reference whose files must agree with its SHA256SUMS.

    Raises:
        ValueError: a folder without SHA256SUMS, or a file that is missing, altered or not listed.
    """
    folder = Path(folder)
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except OSError:
        raise ValueError(f"{folder}: not a reference; {SUMS} is missing") from None
    listed = set()
    for line in lines:
        recorded, gap, name = line.partition("  ")
        if not gap or Path(name).name != name:
            raise ValueError(f"{folder / SUMS}: {line!r} is not a line of sha256sum")
        file = folder / name
        if not file.is_file():
            raise ValueError(f"{file}: there is no such file, but {SUMS} lists it")
        if sha256(file) != recorded:
            raise ValueError(f"{file}: altered or incomplete; its digest is not that in {SUMS}")
        listed.add(name)
    if more := sorted({file.name for file in folder.iterdir()} - listed - UNLISTED):
        raise ValueError(f"{folder / SUMS}: does not list {', '.join(more)}")
    return read_evidence(folder)


def write_reference(
    evidence: str | Path,
    folder: str | Path,
    records: Iterable[str | Path],
    facts: dict[str, object],
    more: Iterable[str | Path] = (),
) -> None:
    """Make a reference from the evidence of a run: compressed tables, provenance, checksums.

    Files of an earlier reference in the folder that this one does not have are removed.

    Args:
        evidence: folder of a run's evidence.
        folder: output folder; created if it does not exist.
        records: JSON files beside the run's results, with versions and hardware.
        facts: further values for environment.json.
        more: further files to copy into the folder.

    Raises:
        ValueError: as `read_evidence`, or no records.
    """
    tables, configuration = read_evidence(evidence)
    machines = _machines(records)
    folder, more = Path(folder), [Path(file) for file in more]
    earlier = _listed(folder)
    for kind, table in tables.items():
        with whole_file(folder / f"{kind}.parquet") as temporary:
            table.to_parquet(temporary, index=False, compression="zstd")
    write_json(configuration, folder / CONFIGURATION)
    write_json(facts | {"machines": machines}, folder / ENVIRONMENT)
    for file in more:
        with whole_file(folder / file.name) as temporary:
            shutil.copyfile(file, temporary)
    names = [*(f"{kind}.parquet" for kind in tables), CONFIGURATION, ENVIRONMENT]
    names += [file.name for file in more]
    for name in earlier - set(names) - UNLISTED:
        (folder / name).unlink(missing_ok=True)
    with whole_file(folder / SUMS) as temporary:
        temporary.write_text("".join(f"{sha256(folder / name)}  {name}\n" for name in names))


def differences(reference: dict[str, object], fresh: dict[str, object]) -> list[str]:
    """The values in which two configurations differ, as text."""
    names = sorted(set(reference) | set(fresh))
    return [
        f"{name} is {fresh.get(name, 'missing')}, in the reference {reference.get(name, 'missing')}"
        for name in names
        if reference.get(name) != fresh.get(name) or (name in reference) != (name in fresh)
    ]


def records_of(results: str | Path) -> list[Path]:
    """The records of a full run: the JSON files with a result of the same name."""
    results = Path(results)
    return [
        file
        for file in sorted(results.rglob("*.json"))
        if file.with_suffix(".parquet").is_file()
        and "smoke" not in file.relative_to(results).parts
        and "versions" in _read_json(file)
    ]


def _listed(folder: Path) -> set[str]:
    """The files of an earlier reference: those in its SHA256SUMS, and those named as kinds."""
    lines = (folder / SUMS).read_text().splitlines() if (folder / SUMS).is_file() else []
    names = {line.partition("  ")[2] for line in lines} | {f"{kind}.parquet" for kind in KINDS}
    return {name for name in names if name and Path(name).name == name}


def _machines(records: Iterable[str | Path]) -> list[dict[str, object]]:
    """The distinct combinations of versions, platform, CPU and device of the results."""
    found = {}
    for file in records:
        record = _read_json(Path(file))
        machine = {name: record.get(name) for name in ("versions", "platform", "cpu", "device")}
        # The version of the imported torch has a suffix, as in 2.9.0+cpu.
        versions = machine["versions"] or {}
        machine["versions"] = {name: str(v).partition("+")[0] for name, v in versions.items()}
        found[json.dumps(machine, sort_keys=True)] = machine
    if not found:
        raise ValueError("reference: no records beside the results")
    return [found[name] for name in sorted(found)]


def _read_json(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_text())
    except FileNotFoundError:
        raise ValueError(f"{file}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{file}: not readable ({error})") from None
    if not isinstance(content, dict):
        raise ValueError(f"{file}: must be a JSON object")
    return content
