"""The report of a small run that is made up."""

import json
import re
import shutil
from dataclasses import asdict, replace
from html import unescape
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from browser import faults, opened
from matplotlib.figure import Figure
from nbconvert import HTMLExporter
from small_run import ROOT, run_command

from hrta.runtime.files import sha256
from hrta.study.analysis.tables import save_table
from hrta.study.pipeline import report_parts as parts
from hrta.study.pipeline.item import Item

TEMPLATE = ROOT / "workflow/report/site.html.j2"
CAPTIONS = TEMPLATE.parent / "captions"
ITEM = Item(
    section="The paper",
    name="figure_mine",
    notebook="motion",
    reads={},
    writes={"figure": "figures/mine", "table": "tables/mine"},
    of="<x²>",
    parts={"": "wine"},
)
CONFIGURATION = {
    "theory": {"motion": {"seeds": {"value": 7, "source": "ours"}}},
    "seeds": {"value": 7, "source": "assumed", "note": "as <many> as there are"},
    "training": {
        "decay": {"value": 0.25, "source": "ours"},
        "stage_steps": {"value": 1234, "unit": "steps", "source": "ours"},
    },
}
SPEC = {
    "job": "train",
    "experiment": "mine",
    "seeds": 7,
    "decay": 0.25,
    "width": 8,
}
CLAIMS = """
rules: {every: "Each time.", paired: "Over seeds."}
labels: {adam: Adam}
claims:
  1:
    statement: Kₛ is positive definite.
    source: derived
    told_by: [method]
    judged_on:
      - {table: spectra, rule: every, kernel: infinite, s: all, contrast: rounding}
    shown: {notebook: notebooks/spectra.ipynb, target: figure_mine}
  2:
    statement: Mixed.
    source: ours
    told_by: [method]
    judged_on:
      - {table: spectra, rule: every, kernel: infinite, s: all, contrast: growth}
    shown: {notebook: notebooks/other.ipynb, target: figure_other}
"""


def write_claims(folder: Path) -> None:
    """Two claims, one reproduced and one mixed."""
    (folder / "claims.yaml").write_text(CLAIMS)
    names = ("problem", "width", "optimizer", "learning_rate", "network", "method", "baseline")
    cells = pd.DataFrame(
        {
            "claim": [1, 2, 2],
            **dict.fromkeys((*names, "measure"), ""),
            "method": ["adam", "a | <b>", "adam"],
            "pairs": 1,
            "ratio": [0.5, 0.5, 2],
            "low": [0.5, 0.5, 2],
            "high": [0.5, 0.5, 2],
            "p": float("nan"),
            "p_holm": float("nan"),
            "verdict": ["reproduced", "reproduced", "contradicted"],
        }
    )
    cells.to_csv(folder / "tables/claims.csv", index=False)


def write_notebook(folder: Path) -> None:
    """An executed notebook and its page."""
    prose = ("# Mine", "## What is seen\n\nIt *falls*.")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(t) for t in prose])
    notebook.metadata["papermill"] = {"parameters": {"figure": "figures/mine", "rates": [1e-3]}}
    stem = folder / "notebooks/executed/figure_mine"
    nbformat.write(notebook, stem.with_suffix(".ipynb"))
    exporter = HTMLExporter(require_js_url="", mathjax_url="", jquery_url="")
    stem.with_suffix(".html").write_text(exporter.from_notebook_node(notebook)[0])


def write_manifest(folder: Path) -> None:
    """The manifest of the item's job and of the training before it."""
    made = [f"figures/mine.{end}" for end in ("png", "pdf")]
    made += [f"tables/mine.{end}" for end in ("csv", "md")]
    made += [f"notebooks/executed/figure_mine.{end}" for end in ("ipynb", "html")]
    of_itself = {"device": "cpu", "versions": {"torch": "9.9"}, "spec": SPEC}
    jobs = [
        {"rule": "train", "outputs": ["results/runs/mine.parquet"], "result": of_itself}
        | {"wall_time": 240.0},
        {"rule": "figure_mine", "outputs": made, "wall_time": 2.0, "command": "python"}
        | {"inputs": {"results/runs/mine.parquet": "f" * 64, "hrta/plots.py": "e" * 64}},
    ]
    artifacts = {file: {"sha256": sha256(folder / file), "size": 1, "job": 1} for file in made}
    artifacts["results/runs/mine.parquet"] = {"sha256": "f" * 64, "size": 1, "job": 0}
    manifest = {
        "made": "2026-01-02T03:04:05Z",
        "code": ".",
        "commit": "abcdef",
        "modified": False,
        "configuration": {"config/replication.yaml": "d" * 64},
        "environment": {"python": "3.11", "packages": {}, "platform": "Linux", "cpu": "a CPU"},
        "jobs": jobs,
        "artifacts": artifacts,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """A run of one figure and one table."""
    folder = tmp_path_factory.mktemp("run")
    for part in ("figures", "tables", "notebooks/executed"):
        (folder / part).mkdir(parents=True)
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2])
    for end in ("png", "pdf"):
        figure.savefig(folder / f"figures/mine.{end}", dpi=100)
    wide = pd.DataFrame({f"a long column {i}": [f"{i} ▼", "2"] for i in range(12)})
    save_table(wide, wide, folder / "tables/mine")
    write_claims(folder)
    write_notebook(folder)
    write_manifest(folder)
    return folder


@pytest.fixture
def run(made_up, tmp_path):
    """A copy of the run to break."""
    ignored = shutil.ignore_patterns("report")
    return Path(shutil.copytree(made_up, tmp_path / "run", ignore=ignored))


def report(folder, item=ITEM, configuration=CONFIGURATION, template=TEMPLATE):
    return run_command(
        *(folder, "report", "--template", template, "--claims", "claims.yaml"),
        *("--contents", json.dumps([asdict(item)])),
        *("--configuration", json.dumps(configuration)),
        *("--cells", "tables/claims.csv", "--manifest", "manifest.json"),
        *("--page", "report/index.html"),
    )


@pytest.fixture(scope="module")
def index(made_up):
    done = report(made_up)
    assert done.returncode == 0, done.stderr
    return made_up / "report/index.html"


def test_the_page_works_from_disk_in_a_narrow_and_a_wide_window(index):
    for width in (390, 1600):
        found, seen = faults(index, width)
        assert found == []
        assert seen == {index, index.parent / "notebooks/figure_mine.html"}


def test_verdicts_are_words_and_lead_to_what_shows_them(index):
    with opened(1600) as page:
        page.goto(index.as_uri())
        rows = page.locator("#claims > .scroll tbody tr")
        assert [row.inner_text().split("\t")[2] for row in rows.all()] == [
            "✓ reproduced",
            "± mixed",
        ]
        assert rows.nth(0).locator("a[href='#figure_mine']").count() == 1
        assert rows.nth(1).locator("a").count() == 1  # what shows it is not in this report
        assert not page.locator("#claim-2 table").first.is_visible()
        rows.nth(1).locator("a").click()
        assert page.locator("#claim-2 table").first.is_visible()
        assert page.locator("#claim-2").get_by_text("contradicted").count() > 0
        cells = page.locator("#claim-2 table").nth(1).locator("tbody tr").all()
        texts = [row.locator("td").all_text_contents() for row in cells]
        assert texts == [
            ["a | <b>", "0.5 [0.5, 0.5] ▼", "reproduced"],
            ["Adam", "2 [2, 2] ▲", "contradicted"],
        ]


def test_an_item_has_captions_configuration_and_provenance(index):
    with opened(1600) as page:
        page.goto(index.as_uri())
        item = page.locator("#figure_mine")
        assert item.locator("h3").inner_text() == "How far the kernel moves: <x²>"
        first, second = item.locator("figcaption").all_inner_texts()
        assert first.startswith("Figure 1 (wine). Motion of the tangent kernel")
        assert "median over 7 seeds" in first
        assert second.startswith("Table 1 (wine). ")
        image = item.locator("img")
        assert [image.get_attribute(side) for side in ("width", "height")] == ["300", "200"]
        configuration, provenance, seen = item.locator("details").all()
        heading = configuration.locator("summary").inner_text()
        assert heading.endswith("2 entries, 1 of them assumed")
        rows = configuration.locator("tbody").first.locator("tr").all()
        fields = [row.locator("td").all_text_contents() for row in rows]
        many = "as <many> as there are"
        assert fields == [
            ["train", "experiment", "mine", "", "", "", ""],
            ["train", "seeds", "7", "assumed", "", "seeds", many],
            ["train", "decay", "0.25", "ours", "", "training.decay", ""],
            ["train", "width", "8", "", "", "", ""],
        ]
        assert "0.001" in configuration.text_content()
        assert provenance.locator("summary").inner_text() == "Provenance: 2 jobs, 4.03 min"
        text = provenance.text_content()
        assert sha256(index.parent / "figures/mine.png") in text
        assert "f" * 64 in text
        assert "torch 9.9" in text
        assert seen.locator("em").text_content() == "falls"


def test_wide_tables_scroll_in_their_box(index):
    with opened(390) as page:
        page.goto(index.as_uri())
        box = page.locator("#tables-mine .scroll")
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") > 100


def test_another_report_leaves_nothing_of_the_one_before(run):
    assert report(run).returncode == 0
    only_the_figure = replace(ITEM, writes={"figure": "figures/mine"})
    assert report(run, only_the_figure).returncode == 0
    left = {path.name for path in (run / "report").rglob("*") if path.is_file()}
    assert left == {
        *("index.html", "manifest.json", "mine.png", "mine.pdf", "claims.csv"),
        *("figure_mine.html", "figure_mine.ipynb"),
    }


@pytest.mark.parametrize(
    "missing",
    [
        *("figures/mine.pdf", "tables/mine.md", "notebooks/executed/figure_mine.html"),
        *("tables/claims.csv", "manifest.json"),
    ],
)
def test_what_is_missing_is_one_line_and_nothing_is_written(run, missing):
    (run / missing).unlink()
    done = report(run)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{missing}: there is no such ")
    assert done.stderr.count("\n") == 1
    assert not (run / "report").exists()


def test_verdicts_on_other_claims_are_one_line(run):
    (run / "tables/claims.csv").write_text("a,b\n1,2\n")
    done = report(run)
    assert done.returncode == 1
    assert done.stderr.startswith("tables/claims.csv: not the verdicts on the claims (")
    assert done.stderr.count("\n") == 1


def test_what_the_page_says_of_claims_is_not_read_from_their_page(run):
    assert not (run / "tables/claims.md").exists()
    assert report(run).returncode == 0


def test_a_caption_that_asks_for_too_much_is_one_line(run, tmp_path):
    (tmp_path / "captions").mkdir()
    for each in ITEM.shown:
        caption = tmp_path / "captions" / each.caption
        caption.write_text("{{ snakemake.config.seeds.number }} seeds")
    shutil.copy(TEMPLATE, tmp_path)
    done = report(run, template=tmp_path / TEMPLATE.name)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}/captions/motion.figure.rst: ")
    assert "no attribute 'number'" in done.stderr
    assert not (run / "report").exists()


def test_a_file_that_the_manifest_does_not_know_is_one_line(run):
    stranger = replace(ITEM, writes={"figure": "figures/strange"})
    for end in ("png", "pdf"):
        shutil.copy(run / f"figures/mine.{end}", run / f"figures/strange.{end}")
    done = report(run, stranger)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "figures/strange.pdf is missing" in done.stderr


@pytest.mark.parametrize("path", sorted(CAPTIONS.glob("*.rst")), ids=lambda path: path.stem)
def test_captions_are_prose_that_needs_no_markup(path):
    text = re.sub("{{.*?}}|{%.*?%}", "", path.read_text())
    assert len(text) > 100
    assert not set("*`|\\") & set(text)


@pytest.mark.parametrize(
    "label",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[k](javascript:alert(1))",
        "![k](https://example.org/k.png)",
        "<https://example.org/<script>>",
        "a\n\n<div onclick=alert(1)>\n\nb",
    ],
)
def test_a_label_is_text_in_the_report(label, tmp_path):
    table = pd.DataFrame({label: [label], "b": [1]})
    save_table(table, table, tmp_path / "table")
    html = parts.as_html((tmp_path / "table.md").read_text())
    html += parts.as_html(f"Text with {label} in it.")
    tags = set(re.findall(r"<(\w+)([^>]*)", html))
    assert {name for name, _ in tags} <= {"table", "thead", "tbody", "tr", "th", "td", "p", "a"}
    assert not [rest for _, rest in tags if re.search(r"\bon\w+=|javascript:|src=", rest)]


@pytest.mark.parametrize("label", ["|x|", "$|x|^{2}$", "a < b & c", "sin(2π(x₁+x₂))"])
def test_a_label_with_any_signs_is_one_cell(label, tmp_path):
    table = pd.DataFrame({"a": [label], "b": [1]})
    save_table(table, table, tmp_path / "table")
    html = parts.as_html((tmp_path / "table.md").read_text(encoding="utf-8"))
    cells = re.findall(r"<td[^>]*>(.*)</td>", html)
    assert len(cells) == 2
    assert unescape(cells[0]).replace("\\|", "|") == label
