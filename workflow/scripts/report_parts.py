"""The parts of the report's page: verdicts, captions, tables, configuration, provenance."""

import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import jinja2
import nbformat
from nbconvert.filters import markdown2html

from hrta.study.pipeline.manifest import Job, Manifest, ancestors

SEEN = "## What is seen"
VERDICTS = ["#", "claim", "source", "verdict", "cells", "notebook"]


def read_claims(file: Path) -> dict[str, object]:
    """The verdicts on the claims from the page that `hrta claims` writes.

    Returns:
        rows: of each claim its number, statement, source, verdict, the words on its cells, the
        target that shows it, and all its cells as HTML; rules: what verdicts mean, as HTML.

    Raises:
        ValueError: the page has another form.
    """
    head, *sections = re.split(r"^## ", file.read_text(), flags=re.MULTILINE)
    lines = [line.strip("| \n") for line in head.splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    if not table or table[0] != VERDICTS or len(table) != len(sections) + 2:
        raise ValueError(f"{file}: not the verdicts on the claims; make it again")
    rows = []
    for cells, section in zip(table[2:], sections, strict=True):
        target = re.search(r"Target: `(\w+)`", section)
        row = dict(zip(VERDICTS, cells, strict=True)) | {"number": cells[0]}
        row |= {"verdict": row["verdict"].strip("*"), "cells": row["cells"].split("; ")}
        about = section.partition("\n")[2]
        rows.append(row | {"target": target and target[1], "details": markdown2html(about)})
    rules = "\n".join(line for line in head.splitlines() if not line.startswith(("|", "#")))
    return {"rows": rows, "rules": markdown2html(rules)}


def fill_in(caption: Path, namespace: SimpleNamespace) -> str:
    """A caption with the numbers of this run, as Snakemake's own report fills it in.

    Raises:
        ValueError: it asks for what the configuration does not have.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    try:
        text = environment.from_string(caption.read_text()).render(snakemake=namespace)
    except jinja2.TemplateError as error:
        raise ValueError(f"{caption}: {error}") from None
    return " ".join(text.split())


def figure_or_table(stem: str) -> dict[str, object]:
    """A figure with its size, so that the page need not wait for it; or a table as HTML."""
    if stem.startswith("figures/"):
        with Path(f"{stem}.png").open("rb") as image:
            # PNG: 8 bytes of signature, 8 of the first chunk's head, then these two.
            width, height = struct.unpack(">II", image.read(24)[16:])
        return {"stem": stem, "kind": "Figure", "width": width, "height": height}
    table = markdown2html(Path(f"{stem}.md").read_text())
    return {"stem": stem, "kind": "Table", "table": table}


def parameters(executed: nbformat.NotebookNode) -> dict[str, str]:
    """What the notebook was run with, as text."""
    given = executed.metadata.papermill.parameters
    return {name: as_text(value) for name, value in given.items()}


def what_is_seen(executed: nbformat.NotebookNode) -> str:
    """The notebook's last word, as HTML."""
    prose = [cell.source for cell in executed.cells if cell.cell_type == "markdown"]
    seen = [text for text in prose if text.startswith(SEEN)]
    return markdown2html(seen[-1].removeprefix(SEEN)) if seen else ""


def as_text(value: object) -> str:
    """A value of the configuration or of a notebook, on a line."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {as_text(each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(as_text(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def sourced(part: object, path: str) -> Iterator[dict[str, str]]:
    """Every entry below a part of the configuration that tells its source."""
    if not isinstance(part, Mapping):
        return
    if "source" in part:
        about = ("source", "unit", "note", "label")
        rest = {key: value for key, value in part.items() if key not in about}
        value = rest["value"] if "value" in rest else rest["s"] if set(rest) == {"s"} else rest
        yield {
            "path": path,
            "value": as_text(value),
            **{key: str(part.get(key, "")) for key in ("source", "unit", "note")},
        }
        return
    for key, each in part.items():
        yield from sourced(each, f"{path}.{key}" if path else str(key))


def configured(configuration: Mapping[str, object], paths: list[str]) -> list[dict[str, str]]:
    """The rows of these parts of the configuration, by dotted path."""
    rows = []
    for path in paths:
        part = configuration
        for key in path.split("."):
            part = part[key]
        rows += sourced(part, path)
    return rows


def sources(configuration: Mapping[str, object]) -> dict[str, int]:
    """How many entries of the configuration have which source, the most frequent first."""
    return dict(Counter(row["source"] for row in sourced(configuration, "")).most_common())


def provenance(manifest: Manifest, files: list[str]) -> dict[str, object]:
    """How files of one job came to be.

    Raises:
        ValueError: the manifest does not have one of them.
    """
    for file in files:
        if file not in manifest.artifacts:
            raise ValueError(f"results/manifest/manifest.json: {file} is missing; make it again")
    job = manifest.jobs[manifest.artifacts[files[0]].job]
    before = ancestors(manifest, job)
    made = [file for file in job.inputs if file in manifest.artifacts]
    of_inputs = [(file, manifest.jobs[manifest.artifacts[file].job]) for file in made]
    return {
        "rule": job.rule,
        "ended": job.ended,
        "wall_time": job.wall_time,
        "command": job.command,
        "files": [(file, manifest.artifacts[file].sha256) for file in files],
        "inputs": [(file, job.inputs[file], *_made(each)) for file, each in of_inputs],
        "sources": len(job.inputs) - len(made),
        "before": len(before),
        "before_time": sum(each.wall_time or 0 for each in before),
        "versions": _versions(before) or _versions([job]),
    }


def _made(job: Job) -> tuple[str, float | None, str]:
    """The rule, wall time and device of a job."""
    return job.rule, job.wall_time, str(job.result.get("device", ""))


def _versions(jobs: list[Job]) -> str:
    """What the jobs ran with, as they say themselves."""
    given = [each.result["versions"] for each in jobs if "versions" in each.result]
    texts = (", ".join(f"{name} {value}" for name, value in each.items()) for each in given)
    return "; ".join(dict.fromkeys(texts))


def environment(manifest: Manifest) -> dict[str, str]:
    """Where the run was made: commit, machine, versions of what computes and draws."""
    machine, packages = manifest.environment, manifest.environment.packages
    shown = ("torch", "numpy", "scipy", "numba", "pandas", "matplotlib", "snakemake")
    versions = [f"{name} {packages[name]}" for name in shown if name in packages]
    devices = {str(job.result["device"]) for job in manifest.jobs if "device" in job.result}
    wall_time = sum(job.wall_time or 0 for job in manifest.jobs)
    changed = ", with changes that are not committed" if manifest.modified else ""
    return {
        "Commit": f"{manifest.commit}{changed}" if manifest.commit else "not under version control",
        "Environment": ", ".join([f"Python {machine.python}", *versions]),
        "Machine": f"{machine.cpu}, {machine.platform}; trained on {', '.join(sorted(devices))}",
        "Jobs": f"{len(manifest.jobs)}, {duration(wall_time)} in all",
    }


def duration(seconds: float | None) -> str:
    """A time as people say it."""
    if seconds is None:
        return "not recorded"
    if seconds < 100:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 6000 else f"{seconds / 3600:.3g} h"
