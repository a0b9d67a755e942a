"""The manifest of a run: which job made which file, from what, with what, and when."""

import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

# Where a run has its manifest, as seen from the folder that all its paths are relative to.
PLACE = Path("results/manifest/manifest.json")


class Record(BaseModel):
    """What a manifest consists of; later versions may say more."""

    model_config = ConfigDict(frozen=True)


class Job(Record):
    """How some files were made, all of them at once.

    inputs: SHA-256 of each file that they were made from, as it was then; None where it is not
        known, as the file was changed later.
    command, started, ended, wall_time [s]: None where there is no record of them.
    result: what the job wrote of itself beside its result: spec, versions, device.
    benchmark: time and memory, as measured from outside.
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


class Artifact(Record):
    """A file that was made: SHA-256, size [bytes], and the place of its job in the list.

    newer: whether the file was written after its job ended, so that it may be another one.
    """

    sha256: str
    size: int
    job: int
    newer: bool = False


class Environment(Record):
    """Where the manifest was made: versions of Python and all packages, machine."""

    python: str
    packages: dict[str, str]
    platform: str
    cpu: str


class Manifest(Record):
    """All files of a run, by their paths relative to its folder.

    code: folder of the workflow, relative to that of the run.
    commit: of the workflow, if it is under version control; modified: whether files differ from it.
    configuration: SHA-256 of its files.
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

    def specs_behind(self, path: str) -> dict[str, dict[str, Any]]:
        """The specs of the results that a file was made from, by the names of these results."""
        job = self.jobs[self.artifacts[path].job]
        makers = {self.artifacts[file].job for file in job.inputs if file in self.artifacts}
        return {
            each.outputs[0].removeprefix("results/").removesuffix(".parquet"): each.result["spec"]
            for each in (self.jobs[maker] for maker in sorted(makers))
            if "spec" in each.result
        }


def read_manifest(path: str | Path) -> Manifest:
    """A manifest as the workflow wrote it.

    Raises:
        ValueError: a file that is missing, not whole or not a manifest.
    """
    try:
        return Manifest.model_validate(json.loads(Path(path).read_bytes()))
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such manifest; `make replicate` makes it") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ValueError(f"{path}: not a manifest ({where}: {first['msg']})") from None
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError
        raise ValueError(f"{path}: not a whole manifest ({error}); make it again") from None


def find_manifest(file: str | Path) -> Path:
    """The manifest of the run that a file is of: in the nearest folder above that has one.

    Raises:
        ValueError: there is none.
    """
    for folder in Path(file).absolute().parents:
        if (folder / PLACE).is_file():
            return folder / PLACE
    raise ValueError(f"{file}: no {PLACE} in any folder above it; name one with --manifest")


def folder_of(manifest: str | Path) -> Path:
    """The folder that the paths in a manifest are relative to: here, where it is not in place."""
    path = Path(manifest).absolute()
    depth = len(PLACE.parts)
    return path.parents[depth - 1] if path.parts[-depth:] == PLACE.parts else Path.cwd()


def ancestors(manifest: Manifest, job: Job) -> list[Job]:
    """The jobs whose results a job used, and all jobs before them, nearest first."""
    found, waiting = {}, [job]
    while waiting:
        for path in waiting.pop(0).inputs:
            artifact = manifest.artifacts.get(path)
            if artifact and artifact.job not in found:
                found[artifact.job] = manifest.jobs[artifact.job]
                waiting.append(found[artifact.job])
    return list(found.values())


def version_control(code: Path) -> tuple[str | None, bool | None]:
    """The commit of the workflow in this folder, and whether files that it has are different now.

    Nothing of either where the folder is not under version control.
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
    # A copy of the workflow that lies in somebody else's repository has no commit of its own.
    if top is None or not Path(top).samefile(code):
        return None, None
    return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
