"""The reports of the smoke replication: ours, and Snakemake's own."""

import re
import zipfile

import pytest
from browser import faults, opened


@pytest.fixture(scope="module")
def index(replicated):
    return replicated.made / "report/index.html"


def test_the_whole_site_works_from_disk(index):
    found, seen = faults(index)
    assert found == []
    executed = index.parents[1] / "notebooks/executed"
    assert {page.name for page in seen} == {
        "index.html",
        *(p.name for p in executed.glob("*.html")),
    }


def test_the_site_can_be_moved(index, tmp_path):
    elsewhere = index.parent.rename(tmp_path / "elsewhere")
    try:
        assert faults(elsewhere / "index.html", 1600)[0] == []
    finally:
        elsewhere.rename(index.parent)


def test_every_figure_and_table_is_there_once(index):
    with opened(1600) as page:
        page.goto(index.as_uri())
        shown = page.locator("figure").evaluate_all("figures => figures.map(each => each.id)")
        captions = page.locator("figcaption").all_inner_texts()
        verdicts = page.locator("#claims > .scroll tbody .verdict").all_inner_texts()
    folder = index.parents[1]
    there = {f"figures-{path.stem}" for path in (folder / "figures").glob("*.png")}
    there |= {f"tables-{path.stem}" for path in (folder / "tables").glob("*.csv")}
    assert len(shown) == len(set(shown))
    assert set(shown) == there - {"tables-claims"}
    assert all(re.match(r"(Figure|Table) \d+( \(.+\))?\. \w.{100}", each) for each in captions)
    assert len(verdicts) >= 12


def test_snakemakes_own_report(replicated):
    folder = replicated.made
    for name in ("report.html", "report.zip"):
        done = replicated.snakemake(options=("--report", name))
        assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(folder / "report.zip") as archive:
        names = {name.rsplit("/", 1)[-1] for name in archive.namelist()}
    assert {"sine1d.png", "leaderboard.csv", "report.html"} <= names
    with opened(1600) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((folder / "report.html").as_uri())
        page.get_by_text("The paper", exact=True).first.click()
        assert page.get_by_text("Loss curves: sin(2πx)").count() == 2
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    text = (folder / "report.html").read_text()
    assert "system-message" not in text
    assert "median over 4 seeds, the same initial weights" in text.replace("\\n", " ")
