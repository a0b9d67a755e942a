"""The parts of the report's page: verdicts, captions, figures, tables, provenance."""

import struct
from collections.abc import Mapping
from html import escape
from pathlib import Path
from types import SimpleNamespace

import jinja2
import nbformat
import pandas as pd
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from hrta.runtime.files import UnreadableError
from hrta.study.claims.judgement import verdict
from hrta.study.claims.pages import cells_in_words, counts_by_value, each_claim, readable_cells
from hrta.study.config.claims import Claims
from hrta.study.pipeline.configured import as_text
from hrta.study.pipeline.manifest import PLACE, Manifest, versions

SEEN = "## What is seen"


class _Renderer(IPythonRenderer):
    """Markdown as HTML, in which HTML is shown as text and nothing is loaded: labels are data."""

    def inline_html(self, html: str) -> str:
        return escape(html)

    def block_html(self, html: str) -> str:
        return f"<p>{escape(html)}</p>"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return escape(text)


def as_html(markdown: str) -> str:
    """Markdown of tables and notebooks as HTML."""
    renderer = _Renderer(escape=False, allow_harmful_protocols=False)
    return MarkdownWithMath(renderer=renderer).render(markdown)


def claims(given: Claims, cells: pd.DataFrame) -> list[dict[str, object]]:
    """For each claim its number, the claim, its verdict, its cells in words and as tables."""
    return [
        {
            "number": number,
            "claim": claim,
            "rules": list(dict.fromkeys(judged.rule for judged in claim.judged_on)),
            "verdict": verdict(claim, its),
            "words": cells_in_words(claim, its, given.labels),
            "tables": [counts_by_value(its, given.labels), readable_cells(its, given.labels)],
        }
        for number, claim, its in each_claim(given, cells)
    ]


def fill_in(caption: Path, configuration: Mapping[str, object], rule: str) -> str:
    """A caption with the numbers of this run, rendered as in Snakemake's own report.

    Raises:
        ValueError: a key that the configuration does not have.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    snakemake = SimpleNamespace(config=configuration, rule=rule)
    try:
        text = environment.from_string(caption.read_text(encoding="utf-8")).render(
            snakemake=snakemake
        )
    except jinja2.TemplateError as error:
        raise ValueError(f"{caption}: {error}") from None
    return " ".join(text.split())


def figure_or_table(stem: str) -> dict[str, object]:
    """A figure with its size, so that the page's layout does not shift; or a table as HTML."""
    if stem.startswith("figures/"):
        with Path(f"{stem}.png").open("rb") as image:
            header = image.read(24)
        if len(header) < 24 or header[:4] != b"\x89PNG":
            raise UnreadableError(f"{stem}.png", "not a PNG", "readable figure")
        # PNG: 8 bytes of signature, 8 of the first chunk's header, then width and height.
        width, height = struct.unpack(">II", header[16:])
        return {"stem": stem, "kind": "Figure", "width": width, "height": height}
    table = as_html(Path(f"{stem}.md").read_text(encoding="utf-8"))
    return {"stem": stem, "kind": "Table", "table": table}


def read_notebook(path: str) -> nbformat.NotebookNode:
    """An executed notebook.

    Raises:
        UnreadableError: it is incomplete or not a notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except ValueError as error:
        raise UnreadableError(path, error, "readable notebook") from None


def parameters(executed: nbformat.NotebookNode) -> dict[str, str]:
    """The parameters of the executed notebook, as text."""
    given = executed.metadata.papermill.parameters
    return {name: as_text(value) for name, value in given.items()}


def what_is_seen(executed: nbformat.NotebookNode) -> str:
    """The last section of the notebook, as HTML."""
    prose = [cell.source for cell in executed.cells if cell.cell_type == "markdown"]
    seen = [text for text in prose if text.startswith(SEEN)]
    return as_html(seen[-1].removeprefix(SEEN)) if seen else ""


def provenance(manifest: Manifest, files: list[str]) -> dict[str, object]:
    """The provenance of files of one job.

    Raises:
        ValueError: a file that is not in the manifest.
    """
    for file in files:
        if file not in manifest.artifacts:
            raise ValueError(f"{PLACE}: {file} is missing; make it again")
    job = manifest.job_of(files[0])
    before = manifest.ancestors(job)
    made = [file for file in job.inputs if file in manifest.artifacts]
    return {
        "job": job,
        "files": [(file, manifest.artifacts[file].sha256) for file in files],
        "inputs": [(file, manifest.job_of(file)) for file in made],
        "sources": len(job.inputs) - len(made),
        "before": len(before),
        "before_time": sum(each.wall_time or 0 for each in before),
        "versions": versions(before),
    }


def environment(manifest: Manifest) -> dict[str, str]:
    """The environment of the run: commit, machine, versions of the main packages."""
    machine, packages = manifest.environment, manifest.environment.packages
    shown = ("torch", "numpy", "scipy", "numba", "pandas", "matplotlib", "snakemake")
    main = [f"{name} {packages[name]}" for name in shown if name in packages]
    devices = {str(job.result["device"]) for job in manifest.jobs if "device" in job.result}
    wall_time = sum(job.wall_time or 0 for job in manifest.jobs)
    changed = ", with changes that are not committed" if manifest.modified else ""
    return {
        "Commit": f"{manifest.commit}{changed}" if manifest.commit else "not under version control",
        "Environment": ", ".join([f"Python {machine.python}", *main]),
        "Machine": f"{machine.cpu}, {machine.platform}; trained on {', '.join(sorted(devices))}",
        "Jobs": f"{len(manifest.jobs)}, {duration(wall_time)} in all",
    }


def duration(seconds: float | None) -> str:
    """A time in seconds, minutes or hours."""
    if seconds is None:
        return "not recorded"
    if seconds < 100:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 6000 else f"{seconds / 3600:.3g} h"
