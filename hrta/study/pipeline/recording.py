"""Make the manifest of a run from Snakemake's metadata and the records of the jobs.

All paths are relative to the folder of the run, which must be the current folder.
"""

import json
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from snakemake.io import IOFile
from snakemake.persistence import MetadataRecord
from snakemake.persistence.file import FilePersistence

from hrta.runtime.files import UnreadableError, sha256
from hrta.runtime.provenance import provenance
from hrta.study.pipeline.manifest import (
    Artifact,
    Environment,
    Job,
    Manifest,
    read_benchmark,
    version_control,
)
from hrta.study.pipeline.recorded import RecordedJob

_hash = cache(sha256)


def make_manifest(
    jobs: Iterable[RecordedJob],
    configuration: Iterable[Path],
    code: Path,
    records: Path = Path(".snakemake"),
) -> Manifest:
    """The manifest of these jobs.

    Args:
        jobs: all jobs that made files.
        configuration: the configuration files.
        code: folder of the workflow.
        records: folder of Snakemake's metadata.

    Raises:
        OSError: a missing file.
    """
    kept = FilePersistence(nolock=True, path=records.absolute())
    read = [_read_job(job, kept) for job in jobs]
    commit, modified = version_control(code)
    return Manifest(
        made=datetime.now(UTC),
        code=os.path.relpath(code),
        commit=commit,
        modified=modified,
        configuration={str(file): sha256(file) for file in configuration},
        environment=_environment(),
        jobs=read,
        artifacts={
            output: _read_artifact(output, place, kept.metadata(IOFile(output)))
            for place, job in enumerate(read)
            for output in job.outputs
        },
    )


def _read_job(job: RecordedJob, records: FilePersistence) -> Job:
    """The entry of a job in the manifest."""
    found = [record for output in job.outputs if (record := records.metadata(IOFile(output)))]
    result, benchmark = _record_of(job.outputs), read_benchmark(job.benchmark)
    if not found:
        return Job(rule=job.rule, outputs=job.outputs, result=result, benchmark=benchmark)
    started = min(record.starttime for record in found)
    ended = max(record.endtime for record in found)
    wall_time = result.get("wall_time") or benchmark.get("s") or ended - started
    return Job(
        rule=job.rule,
        outputs=job.outputs,
        inputs={path: _input_hash(path, found[0]) for path in found[0].input},
        command=found[0].shellcmd,
        started=datetime.fromtimestamp(started, UTC),
        ended=datetime.fromtimestamp(ended, UTC),
        wall_time=round(wall_time, 3),
        result=result,
        benchmark=benchmark,
    )


def _input_hash(path: str, record: MetadataRecord) -> str | None:
    """SHA-256 of an input when the job ended; None if unknown.

    Snakemake records it for small files. A larger file that has not changed since has its present
    one. For a source file edited while the job ran it is unknown which version the job had read.
    """
    changed = Path(path).stat().st_mtime if Path(path).exists() else float("inf")
    if path.endswith(".py") and record.starttime < changed <= record.endtime:
        return None
    recorded = (record.input_checksums or {}).get(path)
    if recorded:
        return recorded.removeprefix("sha256:")
    return _hash(path) if changed <= record.endtime else None


def _record_of(outputs: list[str]) -> dict[str, object]:
    """The record that a job wrote beside its result, if any."""
    for output in outputs:
        if output.endswith(".json") and str(Path(output).with_suffix(".parquet")) in outputs:
            try:
                return dict(json.loads(Path(output).read_text(encoding="utf-8")))
            except (ValueError, TypeError) as error:
                raise UnreadableError(output, error) from None
    return {}


def _read_artifact(path: str, job: int, record: MetadataRecord | None) -> Artifact:
    """The entry of a file; Snakemake's metadata have the time at which its job ended."""
    state = Path(path).stat()
    newer = record is not None and state.st_mtime > record.endtime
    return Artifact(sha256=_hash(path), size=state.st_size, job=job, newer=newer)


def _environment() -> Environment:
    """Python, all installed packages and the machine."""
    packages = {each.metadata["Name"]: each.version for each in distributions()}
    return Environment(
        python=platform.python_version(),
        packages=dict(sorted(packages.items(), key=lambda item: item[0].lower())),
        platform=platform.platform(),
        cpu=str(provenance(0)["cpu"]),
    )
