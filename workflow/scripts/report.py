"""The report: one page with the verdicts, every figure and table, and what they came from.

Everything that the page shows or leads to is copied beside it, so that the folder can be moved. To
be run in the folder of the run, to which all paths are relative.
"""

import argparse
import json
import re
import shutil
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import jinja2
import nbformat
import report_parts as parts

from hrta.runtime.files import whole_file
from hrta.study.pipeline.manifest import Manifest, read_manifest

SUFFIXES = {"figures": ("png", "pdf"), "tables": ("csv", "md")}
EXECUTED = Path("notebooks/executed")
BACK = '<p style="margin: 1rem 2rem"><a href="../index.html#{name}">← report</a></p>'
SCROLLING = r'<div class="scroll" tabindex="0"><table>\1</table></div>'


def files_of(item: dict) -> list[str]:
    """The files of the figures and tables of an item."""
    stems = [each["stem"] for each in item["shown"]]
    return [f"{stem}.{end}" for stem in stems for end in SUFFIXES[Path(stem).parts[0]]]


def notebooks_of(item: dict) -> list[str]:
    """The executed notebook of an item, and its page."""
    return [str(EXECUTED / f"{item['name']}.{end}") for end in ("ipynb", "html")]


def copy_item(item: dict, folder: Path) -> None:
    """Its figures and tables, and the page and the file of its executed notebook."""
    for file in files_of(item):
        shutil.copy(file, folder / file)
    notebook, page = notebooks_of(item)
    shutil.copy(notebook, folder / "notebooks")
    back = BACK.format(name=item["name"])
    text = re.sub("<body[^>]*>", lambda tag: tag[0] + back, Path(page).read_text(), count=1)
    (folder / "notebooks" / Path(page).name).write_text(text)


def describe(item: dict, captions: Path, configuration: dict, manifest: Manifest) -> dict:
    """What the page's template shows of an item."""
    executed = nbformat.read(notebooks_of(item)[0], as_version=4)
    namespace = SimpleNamespace(config=configuration, rule=item["name"])
    shown = [
        {"of": each["of"], "caption": parts.fill_in(captions / each["caption"], namespace)}
        | parts.figure_or_table(each["stem"])
        for each in item["shown"]
    ]
    return {
        "name": item["name"],
        "title": item["title"],
        "shown": shown,
        "parameters": parts.parameters(executed),
        "seen": parts.what_is_seen(executed),
        "configured": parts.configured(configuration, item["configured"]),
        "provenance": parts.provenance(manifest, files_of(item) + notebooks_of(item)),
    }


def number(sections: dict[str, list[dict]]) -> None:
    """Give every figure and every table its number."""
    last = Counter()
    for each in [each for items in sections.values() for item in items for each in item["shown"]]:
        last[each["kind"]] += 1
        each["number"] = last[each["kind"]]


def render(template: Path, **given: object) -> str:
    """The page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["anchor"] = lambda text: re.sub(r"\W+", "-", text.lower())
    environment.filters["duration"] = parts.duration
    environment.filters["tables"] = lambda html: re.sub(
        "<table>(.*?)</table>", SCROLLING, html, flags=re.DOTALL
    )
    return environment.get_template(template.name).render(**given)


def write_report(arguments: argparse.Namespace) -> None:
    """Write the page, after everything that it leads to.

    Raises:
        ValueError: an input that is missing or not what it should be.
    """
    folder = arguments.page.parent
    items = [item for items in arguments.contents.values() for item in items]
    needed = [file for item in items for file in files_of(item) + notebooks_of(item)]
    for file in (arguments.claims, *needed):
        if not Path(file).is_file():
            raise ValueError(f"{file}: there is no such file; `snakemake report` makes it")
    manifest = read_manifest(arguments.manifest)
    claims = parts.read_claims(arguments.claims)
    sections = {
        title: [
            describe(item, arguments.captions, arguments.configuration, manifest) for item in items
        ]
        for title, items in arguments.contents.items()
    }
    number(sections)
    page = render(
        arguments.template,
        claims=claims,
        sections=sections,
        names={item["name"] for item in items},
        environment=parts.environment(manifest),
        finished=max((job.ended for job in manifest.jobs if job.ended), default=manifest.made),
        files=list(manifest.configuration),
        sources=parts.sources(arguments.configuration),
    )
    for part in (*SUFFIXES, "notebooks"):
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir(parents=True)
    for item in items:
        copy_item(item, folder)
    shutil.copy(arguments.claims.with_suffix(".csv"), folder / "tables")
    shutil.copy(arguments.manifest, folder)
    with whole_file(arguments.page) as temporary:
        temporary.write_text(page)


def main() -> None:
    """Write the report as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contents", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--configuration", type=json.loads, required=True, metavar="JSON")
    parser.add_argument("--captions", type=Path, required=True, help="folder")
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--claims", type=Path, required=True, help="Markdown, its CSV beside it")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--page", type=Path, required=True, help="HTML to write")
    try:
        write_report(parser.parse_args())
    except (ValueError, OSError) as error:
        sys.exit(f"report: {error}")


if __name__ == "__main__":
    main()
