"""The provenance of a file as text: how it was made; and what has changed since."""

import json
import os
from collections.abc import Iterator, Sized
from pathlib import Path
from textwrap import fill, shorten

from hrta.runtime.files import sha256
from hrta.study.pipeline.manifest import Job, Manifest, versions

# By default the greatest length of a line; that of a command [characters], and of a list of names.
WIDTH = 100
LONGEST = 300
MOST = 6
CHANGED = "CHANGED since the manifest was made"


def explain(file: str | Path, manifest: Manifest, folder: Path, width: int = WIDTH) -> str:
    """The provenance of a file, as lines of text.

    Args:
        file: a file of the run.
        manifest: of the run.
        folder: of the run.
        width: the greatest length of a line, except for a word that is longer [characters].

    Raises:
        ValueError: a missing file, or a file that is not in the manifest.
    """
    path = Path(os.path.relpath(Path(file).absolute(), folder.absolute())).as_posix()
    if path not in manifest.artifacts:  # the path may contain a link
        path = Path(os.path.relpath(Path(file).resolve(), folder.resolve())).as_posix()
    if not Path(file).is_file():
        raise ValueError(f"{file}: there is no such file")
    if path not in manifest.artifacts:
        users = [job for job in manifest.jobs if path in job.inputs]
        raise ValueError(
            f"{file}: in the manifest only as an input of {_count(users, 'job')}"
            if users
            else f"{file}: not in the manifest; no job of that run made it"
        )
    artifact, job = manifest.artifacts[path], manifest.job_of(path)
    before = manifest.ancestors(job)
    rows = [
        ("state", _state(sha256(file) == artifact.sha256, artifact.newer)),
        ("SHA-256", artifact.sha256),
        ("size", f"{artifact.size:,} bytes"),
        *_of_job(job),
        *_of_inputs([job, *before], folder),
        *_of_settings(job, before),
        *_of_versions(job, before, manifest),
    ]
    indent = max(len(name) for name, _ in rows) + 4
    lines = [
        fill(text, width, initial_indent=f"  {name:<{indent - 2}}", subsequent_indent=" " * indent)
        for name, text in rows
    ]
    return "\n".join([path, *lines])


def differing(manifest: Manifest, folder: Path) -> dict[str, str]:
    """The files of a run that are not as in its manifest, each with how it differs.

    Args:
        manifest: of the run.
        folder: of the run.
    """
    now = {path: _hash(folder / path) for path in manifest.artifacts}
    return {
        path: "missing" if now[path] is None else CHANGED
        for path, artifact in manifest.artifacts.items()
        if now[path] != artifact.sha256
    }


def _state(same: bool, newer: bool) -> str:
    if not same:
        return CHANGED
    return "as in the manifest, but WRITTEN AFTER its job" if newer else "as it was made"


def _of_job(job: Job) -> Iterator[tuple[str, str]]:
    yield "rule", job.rule
    if job.ended is None:
        yield "made", "time and command are not recorded"
        return
    yield "made", f"{job.ended:%Y-%m-%d %H:%M:%S} UTC, in {job.wall_time:.3g} s"
    yield "command", shorten(job.command or "none", LONGEST, placeholder=" …")
    if isinstance(job.benchmark.get("max_rss"), float):  # NA if the job was too short
        yield "memory", f"{job.benchmark['max_rss']} MB at most"


def _of_inputs(jobs: list[Job], folder: Path) -> Iterator[tuple[str, str]]:
    """The inputs of the job, and which inputs of it and of all earlier jobs have changed since."""
    own, *before = jobs
    sources = [path for path in own.inputs if path.endswith(".py")]
    others = [path for path in own.inputs if path not in sources]
    code = _count(sources, "source file") if sources else ""
    yield "made from", ", ".join(filter(None, [_some(others), code]))
    if before:
        rules = dict.fromkeys(job.rule for job in before)
        yield "behind it", f"{_count(before, 'job')}: {_some(list(rules))}"
    recorded = {(path, digest) for job in jobs for path, digest in job.inputs.items()}
    now = {path: _hash(folder / path) for path, _ in recorded}
    changed = sorted({path for path, digest in recorded if now[path] != digest})
    yield "inputs", f"CHANGED since: {_some(changed)}" if changed else "all as they were then"


def _hash(path: Path) -> str | None:
    return sha256(path) if path.is_file() else None


def _of_settings(job: Job, before: list[Job]) -> Iterator[tuple[str, str]]:
    """The spec of the job, or the seeds of the earlier jobs."""
    spec = job.result.get("spec", {})
    for name, value in spec.items():
        if name != "seeds":
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield name.replace("_", " "), shorten(text, LONGEST // 2, placeholder=" …")
    specs = [spec] if spec else [each.result.get("spec", {}) for each in before]
    seeds = dict.fromkeys(_seeds(each["seeds"]) for each in specs if "seeds" in each)
    if seeds:
        yield "seeds", "; ".join(seeds)


def _seeds(number: int) -> str:
    """The seeds of this number as text."""
    return f"0 … {number - 1}" if number > 2 else ", ".join(map(str, range(number)))


def _of_versions(job: Job, before: list[Job], manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Device and versions recorded by the job, else by the earlier jobs, else by the manifest."""
    jobs = [job, *before]
    results = [each.result for each in jobs if "versions" in each.result]
    device = [f"{each['device']} ({each['cpu']}), {each['dtype']}" for each in results]
    yield "device", "; ".join(dict.fromkeys(device)) or manifest.environment.cpu
    yield "versions", versions(jobs) or f"python {manifest.environment.python}"
    if manifest.commit:
        yield "commit", manifest.commit + ", with changes" * bool(manifest.modified)
    yield "manifest", f"of {manifest.made:%Y-%m-%d %H:%M:%S} UTC"


def _count(things: Sized, noun: str) -> str:
    """The number of things, such as 2 jobs."""
    return f"{len(things)} {noun}{'s' * (len(things) > 1)}"


def _some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")
