"""The report: one page with the verdicts, every figure and table, and their provenance.

All files that the page shows or links to are copied beside it, so that the folder can be moved. All
paths are relative to the folder of the run, which must be the current folder.
"""

import re
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2

from hrta.runtime.files import whole_file
from hrta.study.claims.pages import LEGEND, read_cells
from hrta.study.claims.verdicts import FEWEST_PAIRS
from hrta.study.config.claims import read_claims
from hrta.study.pipeline import report_parts as parts
from hrta.study.pipeline.configured import configured, count_sources
from hrta.study.pipeline.item import SECTIONS, Item
from hrta.study.pipeline.manifest import Manifest, read_manifest

BACK = '<p style="margin: 1rem 2rem"><a href="../index.html#{name}">← report</a></p>'
FOLDERS = ("figures", "tables", "notebooks")


@dataclass(frozen=True)
class Report:
    """The inputs of the report.

    Attributes:
        items: the items that are shown.
        configuration: of the run.
        template: of the page; the folder of the captions is beside it.
        claims: YAML file of the claims.
        cells: CSV file of the verdicts.
        manifest: of the run.
    """

    items: list[Item]
    configuration: Mapping[str, object]
    template: Path
    claims: Path
    cells: Path
    manifest: Path


def write_report(report: Report, page: Path) -> None:
    """Write the page, after all files that it links to.

    Raises:
        ValueError: a missing or invalid input.
    """
    for file in [file for item in report.items for file in (*item.files, *item.executed)]:
        if not Path(file).is_file():
            raise ValueError(f"{file}: there is no such file; `snakemake report` makes it")
    text = _render(report)
    for part in FOLDERS:
        shutil.rmtree(page.parent / part, ignore_errors=True)
        (page.parent / part).mkdir(parents=True)
    for item in report.items:
        _copy(item, page.parent)
    shutil.copy(report.cells, page.parent / "tables")
    shutil.copy(report.manifest, page.parent)
    with whole_file(page) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _render(report: Report) -> str:
    """The page as HTML."""
    manifest, claims = read_manifest(report.manifest), read_claims(report.claims)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(report.template.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["anchor"] = lambda text: re.sub(r"\W+", "-", text.lower())
    environment.filters["duration"] = parts.duration
    sections = {
        section: [_describe(i, report, manifest) for i in report.items if i.section == section]
        for section in SECTIONS
    }
    _number(sections)
    return environment.get_template(report.template.name).render(
        claims=parts.claims(claims, read_cells(report.cells)),
        rules=claims.rules,
        legend=LEGEND,
        fewest=FEWEST_PAIRS,
        sections=sections,
        names={item.name for item in report.items},
        environment=parts.environment(manifest),
        finished=max((job.ended for job in manifest.jobs if job.ended), default=manifest.made),
        files=list(manifest.configuration),
        sources=count_sources(report.configuration),
    )


def _describe(item: Item, report: Report, manifest: Manifest) -> dict[str, object]:
    """The values of an item for the template of the page."""
    provenance = parts.provenance(manifest, [*item.files, *item.executed])
    executed = parts.read_notebook(item.executed[0])
    captions = report.template.parent / "captions"
    return {
        "name": item.name,
        "title": item.title,
        "shown": [
            {
                "of": each.of,
                "caption": parts.fill_in(captions / each.caption, report.configuration, item.name),
                **parts.figure_or_table(each.stem),
            }
            for each in item.shown
        ],
        "parameters": parts.parameters(executed),
        "seen": parts.what_is_seen(executed),
        "configured": configured(manifest.specs_behind(item.files[0]), report.configuration),
        "provenance": provenance,
    }


def _number(sections: Mapping[str, list[dict]]) -> None:
    """Number the figures and the tables."""
    last = Counter()
    for each in [each for items in sections.values() for item in items for each in item["shown"]]:
        last[each["kind"]] += 1
        each["number"] = last[each["kind"]]


def _copy(item: Item, folder: Path) -> None:
    """Copy the figures and tables of an item, and its executed notebook with a link back."""
    notebook, page = item.executed
    for file in item.files:
        shutil.copy(file, folder / file)
    shutil.copy(notebook, folder / "notebooks")
    back = BACK.format(name=item.name)
    text = re.sub(
        "<body[^>]*>", lambda tag: tag[0] + back, Path(page).read_text(encoding="utf-8"), count=1
    )
    (folder / "notebooks" / Path(page).name).write_text(text, encoding="utf-8")
