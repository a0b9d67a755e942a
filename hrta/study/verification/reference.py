"""The reference: the evidence of one full replication, kept for comparison with others."""

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hrta.runtime.files import sha256, whole_file, write_json
from hrta.study.claims.evidence import read_kind
from hrta.study.claims.kinds import KINDS
from hrta.study.config.flat import relevant
from hrta.study.verification.machines import processors, read_json
from hrta.study.verification.tables import check_table, expected_kinds

CONFIGURATION, ENVIRONMENT, SUMS = "configuration.json", "environment.json", "SHA256SUMS"
README = "README.md"
LINE = re.compile(r"([0-9a-f]{64})  ([^/\\\s]+)")


@dataclass(frozen=True)
class Replication:
    """What is kept of a replication, or was just made.

    Attributes:
        folder: of its evidence.
        tables: the evidence by kind.
        configuration: the values that it depends on, by their dotted paths.
        environment: processors, versions and code; None if not known.
    """

    folder: Path
    tables: dict[str, pd.DataFrame]
    configuration: dict[str, object]
    environment: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The folder, and the processors if they are known."""
        return f"{self.folder} ({processors(self.environment)})"


def read_evidence(folder: str | Path) -> Replication:
    """The evidence of a run.

    Raises:
        ValueError: a folder without evidence, an incomplete file, or a table that is none of its
            kind; see `hrta.study.verification.tables.check_table`.
    """
    folder = Path(folder)
    configuration = read_json(folder / CONFIGURATION)
    for name, value in configuration.items():
        if isinstance(value, dict):
            raise ValueError(f"{folder / CONFIGURATION}: {name}: must be a number, text or a list")
    kinds = [kind for kind in KINDS if (folder / f"{kind}.parquet").exists()]
    if not kinds:
        raise ValueError(f"{folder}: no evidence of a run")
    tables = {}
    for kind in kinds:
        tables[kind] = read_kind(folder, kind)
        try:
            check_table(kind, tables[kind], relevant(configuration))
        except ValueError as error:
            raise ValueError(f"{folder / kind}.parquet: {error}") from None
    environment = folder / ENVIRONMENT
    known = read_json(environment) if environment.is_file() else None
    return Replication(folder, tables, configuration, known)


def read_reference(folder: str | Path) -> Replication:
    """As `read_evidence`, of a reference whose files must agree with its SHA256SUMS.

    Folders in it are references of their own.

    Raises:
        ValueError: a folder without SHA256SUMS; a file that is missing, altered or not listed; or
            a kind of evidence that is missing.
    """
    folder = Path(folder)
    listed = _listed(folder)
    for name, recorded in listed.items():
        file = folder / name
        if not file.is_file():
            raise ValueError(f"{file}: there is no such file, but {SUMS} lists it")
        if sha256(file) != recorded:
            raise ValueError(f"{file}: altered or incomplete; its digest is not that in {SUMS}")
    files = {file.name for file in folder.iterdir() if not file.is_dir()}
    if more := sorted(files - set(listed) - {SUMS}):
        raise ValueError(f"{folder / SUMS}: does not list {', '.join(more)}")
    found = read_evidence(folder)
    if missing := sorted(set(expected_kinds(relevant(found.configuration))) - set(found.tables)):
        raise ValueError(f"{folder}: incomplete reference; it has no {', '.join(missing)}")
    return found


def read_references(folder: str | Path) -> list[Replication]:
    """The reference in a folder, and those in the folders in it."""
    folder = Path(folder)
    first = read_reference(folder)
    return [first, *(read_reference(file) for file in sorted(folder.iterdir()) if file.is_dir())]


def _listed(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file in SHA256SUMS, which must be as `sha256sum` writes it."""
    try:
        text = (folder / SUMS).read_bytes().decode()
    except OSError:
        raise ValueError(f"{folder}: not a reference; {SUMS} is missing") from None
    except UnicodeDecodeError:
        raise ValueError(f"{folder / SUMS}: not a text file") from None
    listed = {}
    for line in text.removesuffix("\n").split("\n") if text else ():
        match = LINE.fullmatch(line)
        if match is None or match[2] in listed:
            raise ValueError(f"{folder / SUMS}: {line!r} is not a line of sha256sum, or is twice")
        listed[match[2]] = match[1]
    return listed


def write_reference(
    evidence: str | Path,
    folder: str | Path,
    environment: dict[str, object],
    more: Iterable[str | Path] = (),
) -> None:
    """Make a reference from the evidence of a run: compressed tables, provenance, checksums.

    Files of an earlier reference in the folder that this one does not have are removed.

    Args:
        evidence: folder of a run's evidence.
        folder: output folder; created if it does not exist.
        environment: the content of environment.json: machines, commit, code, date.
        more: further files to copy into the folder.

    Raises:
        ValueError: as `read_evidence`.
    """
    made = read_evidence(evidence)
    folder, more = Path(folder), [Path(file) for file in more]
    earlier = _earlier(folder)
    for kind, table in made.tables.items():
        with whole_file(folder / f"{kind}.parquet") as temporary:
            table.to_parquet(temporary, index=False, compression="zstd")
    write_json(made.configuration, folder / CONFIGURATION)
    write_json(environment, folder / ENVIRONMENT)
    for file in more:
        with whole_file(folder / file.name) as temporary:
            shutil.copyfile(file, temporary)
    names = [*(f"{kind}.parquet" for kind in made.tables), CONFIGURATION, ENVIRONMENT]
    names += [file.name for file in more]
    names += [README] if (folder / README).is_file() else []
    for name in earlier - set(names):
        (folder / name).unlink(missing_ok=True)
    with whole_file(folder / SUMS) as temporary:
        temporary.write_text("".join(f"{sha256(folder / name)}  {name}\n" for name in names))


def _earlier(folder: Path) -> set[str]:
    """The files of an earlier reference: those in its SHA256SUMS, and those named as kinds."""
    names = {f"{kind}.parquet" for kind in KINDS}
    return names | set(_listed(folder)) if (folder / SUMS).is_file() else names
