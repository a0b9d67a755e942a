"""The manifest of a run: which job made which file, from which inputs, how and when."""

import csv
import hashlib
import json
import subprocess
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from hrta.runtime.files import UnreadableError

# The path of the manifest in the folder of its run; all paths in it are relative to that folder.
PLACE = Path("results/manifest/manifest.json")


class Record(BaseModel):
    """A part of a manifest; unknown fields, of later versions, are ignored."""

    model_config = ConfigDict(frozen=True)


class Job(Record):
    """A job that made one or more files.

    Attributes:
        rule: name of the workflow's rule.
        outputs: paths of the files.
        inputs: SHA-256 of each input at that time; None if unknown, as the file was changed later.
        command, started, ended, wall_time [s]: None if not recorded.
        result: the record that the job wrote beside its result: spec, versions, device.
        benchmark: time and memory, as measured by Snakemake.
    """

    rule: str
    outputs: list[str]
    inputs: dict[str, str | None] = {}
    command: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    wall_time: float | None = None
    result: dict[str, Any] = {}
    benchmark: dict[str, float | str] = {}

    @property
    def result_name(self) -> str:
        """The name of the result, such as runs/sine1d/adam/width50."""
        return self.outputs[0].removeprefix("results/").removesuffix(".parquet")


class Artifact(Record):
    """A file that was made by a job.

    Attributes:
        sha256: SHA-256 of the file.
        size: in bytes.
        job: index in the list of jobs.
        newer: whether the file was written after its job had ended.
    """

    sha256: str
    size: int
    job: int
    newer: bool = False


class Environment(Record):
    """Versions of Python and all packages, and the machine, where the manifest was made."""

    python: str
    packages: dict[str, str]
    platform: str
    cpu: str


class Manifest(Record):
    """All files of a run, by their paths relative to its folder.

    Attributes:
        format: version of the format.
        made: time.
        code: folder of the workflow, relative to that of the run.
        commit: of the workflow; None without version control.
        modified: whether files of the workflow differ from the commit.
        configuration: SHA-256 of each configuration file.
        environment: versions and machine.
        jobs: all jobs.
        artifacts: all files made by them.
    """

    format: Literal[1] = 1
    made: datetime
    code: str
    commit: str | None
    modified: bool | None
    configuration: dict[str, str]
    environment: Environment
    jobs: list[Job]
    artifacts: dict[str, Artifact]

    def job_of(self, path: str) -> Job:
        """The job that made a file."""
        return self.jobs[self.artifacts[path].job]

    def ancestors(self, job: Job) -> list[Job]:
        """The jobs whose outputs a job used, and all earlier jobs, nearest first."""
        found, waiting = {}, [job]
        while waiting:
            for path in waiting.pop(0).inputs:
                artifact = self.artifacts.get(path)
                if artifact and artifact.job not in found:
                    found[artifact.job] = self.jobs[artifact.job]
                    waiting.append(found[artifact.job])
        return list(found.values())

    def specs_behind(self, path: str) -> dict[str, dict[str, Any]]:
        """The specs of the results that a file was made from, by the names of these results."""
        inputs = self.job_of(path).inputs
        makers = {self.artifacts[file].job for file in inputs if file in self.artifacts}
        return {
            each.result_name: each.result["spec"]
            for each in (self.jobs[maker] for maker in sorted(makers))
            if "spec" in each.result
        }


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest.

    Raises:
        ValueError: a file that is missing.
        UnreadableError: a file that is incomplete or not a manifest.
    """
    try:
        return Manifest.model_validate(json.loads(Path(path).read_bytes()))
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such manifest; `make replicate` makes it") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "top level"
        raise UnreadableError(path, f"{where}: {first['msg']}", "manifest") from None
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError
        raise UnreadableError(path, f"{error}; make it again", "complete manifest") from None


def read_benchmark(path: str | Path | None) -> dict[str, float | str]:
    """The last row of a benchmark's table, numbers as floats; empty if there is no such file."""
    if path is None or not Path(path).exists():
        return {}
    with Path(path).open(encoding="utf-8") as file:
        *_, last = csv.DictReader(file, delimiter="\t")
    return {key: _number(value) for key, value in last.items()}


def _number(text: str) -> float | str:
    """A value of a benchmark: a number, or a time such as 0:00:03."""
    try:
        return float(text)
    except ValueError:
        return text


def code_digest(jobs: Iterable[Job]) -> str | None:
    """SHA-256 of the modules that results depend on, as they were when the results were made.

    None if a manifest does not say it.
    """
    modules = {
        (path[path.rindex("hrta/") :], digest)
        for job in jobs
        if "versions" in job.result
        for path, digest in job.inputs.items()
        if path.endswith(".py") and "hrta/" in path
    }
    if not modules or any(digest is None for _, digest in modules):
        return None
    return hashlib.sha256(json.dumps(sorted(modules)).encode()).hexdigest()


def find_manifest(file: str | Path) -> Path:
    """The manifest of the run of a file: that in the nearest folder above the file.

    Raises:
        ValueError: no folder above the file has a manifest.
    """
    for folder in Path(file).absolute().parents:
        if (folder / PLACE).is_file():
            return folder / PLACE
    raise ValueError(f"{file}: no {PLACE} in any folder above it; name one with --manifest")


def folder_of(manifest: str | Path) -> Path:
    """The folder of the run of a manifest; the current folder if the manifest was moved."""
    path = Path(manifest).absolute()
    depth = len(PLACE.parts)
    return path.parents[depth - 1] if path.parts[-depth:] == PLACE.parts else Path.cwd()


def versions(jobs: Iterable[Job]) -> str:
    """The versions of the packages that these jobs recorded, each combination once."""
    given = [job.result["versions"] for job in jobs if "versions" in job.result]
    texts = (", ".join(f"{name} {value}" for name, value in each.items()) for each in given)
    return "; ".join(dict.fromkeys(texts))


def version_control(code: Path) -> tuple[str | None, bool | None]:
    """The commit of the workflow in this folder, and whether its files differ from the commit.

    Both are None if the folder is not under version control.
    """

    def git(*command: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", code, *command], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    top = git("rev-parse", "--show-toplevel")
    # A copy of the workflow inside another repository has no commit.
    if top is None or not Path(top).samefile(code):
        return None, None
    return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
