import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from claim_examples import CLOSED, LOSSES, against, claim, content, holm_by_hand, runs, spectrum
from typer.testing import CliRunner

from hrta.cli import claims as cli_claims
from hrta.study.analysis.blocks import with_block
from hrta.study.analysis.choices import guide_block
from hrta.study.claims import pages as claim_pages
from hrta.study.claims.evidence import read_kind
from hrta.study.claims.judgement import evaluate, log_ratios, read_judged, verdict
from hrta.study.claims.kinds import KINDS
from hrta.study.config.claims import Claims, read_claims

ROOT = Path(__file__).parents[3]
OURS = read_claims(ROOT / "config/claims.yaml")
REFERENCE = ROOT / "data/reference"
BETTER, WORSE = np.full(20, 0.5), np.full(20, 2.0)
TIE, BOTH = np.ones(20), np.tile([0.5, 2.0], 10)
FEW = np.full(5, 0.5)
EXACT = CLOSED | {"contrast": "growth"}
READ = {name: kind for name, kind in KINDS.items() if kind.reading is not None}


def evaluated(*claims, **tables):
    """The claims and the verdicts on their cells."""
    given = Claims.model_validate(content(*claims))
    return given, evaluate(given, tables)


def at_widths(*factors, **columns):
    """A table with a width for each of these samples of ratios."""
    samples = enumerate(factors, start=1)
    tables = [against(each, width=10 * i, **columns) for i, each in samples]
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize(
    ("factors", "cells", "whole"),
    [
        ([BETTER, BETTER], ["reproduced"] * 2, "reproduced"),
        ([WORSE, WORSE], ["contradicted"] * 2, "contradicted"),
        ([BETTER, WORSE], ["reproduced", "contradicted"], "mixed"),
        ([BETTER, BOTH], ["reproduced", "inconclusive"], "mixed"),
        ([TIE, BOTH], ["inconclusive"] * 2, "inconclusive"),
        ([FEW, FEW], ["inconclusive"] * 2, "inconclusive"),
        ([[0.5], [0.5]], ["inconclusive"] * 2, "inconclusive"),
        ([WORSE * np.inf, np.append(BETTER, np.inf)], ["contradicted", "reproduced"], "mixed"),
    ],
    ids=["better", "worse", "mixed", "half", "ties", "few", "single", "diverged"],
)
def test_verdicts_on_known_evidence(factors, cells, whole):
    claims, table = evaluated(claim(LOSSES), final_losses=at_widths(*map(np.array, factors)))
    assert table["verdict"].tolist() == cells
    assert verdict(claims.claims[1], table) == whole
    assert table["pairs"].tolist() == [len(each) for each in factors]


def test_one_optimizer_is_enough_where_the_claim_says_so():
    table = pd.concat([at_widths(BETTER), at_widths(WORSE, optimizer="sgd")])
    alternative, plain = claim(LOSSES, any_of="optimizer"), claim(LOSSES)
    claims, cells = evaluated(alternative, plain, final_losses=table)
    each = [verdict(claims.claims[n], cells[cells["claim"] == n]) for n in (1, 2)]
    assert each == ["reproduced", "mixed"]


def test_holm_is_within_a_claim():
    random = np.random.default_rng(0)
    table = at_widths(*(random.lognormal(-0.5, size=12) for _ in range(4)))
    _, cells = evaluated(claim(LOSSES), claim(LOSSES, LOSSES), final_losses=table)
    for number, size in ((1, 4), (2, 8)):
        its = cells[cells["claim"] == number]
        assert len(its) == size
        assert its["p_holm"].tolist() == pytest.approx(holm_by_hand(its["p"].tolist()))


def test_a_claim_may_be_judged_on_several_tables():
    grown = pd.concat([spectrum([s, 9.0], s) for s in (0.5, 1.0, 1.5)])
    claims, cells = evaluated(claim(EXACT, LOSSES), spectra=grown, final_losses=at_widths(BETTER))
    assert cells["pairs"].tolist() == [1, 1, 20]
    assert verdict(claims.claims[1], cells) == "reproduced"


def words(*tables, **columns):
    """The cells of the summary's row of a claim, without their bars."""
    claims, cells = evaluated(claim(LOSSES, **columns), final_losses=pd.concat(tables))
    row = claim_pages.summary(claims, cells).splitlines()[2]
    return [part.strip() for part in row.strip("|").split("|")]


def test_the_summary_counts_and_tells():
    row = words(at_widths(BETTER, BETTER), at_widths(WORSE, TIE, optimizer="sgd"))
    assert row == [
        *("1", "it is better", "ours", "**mixed**"),
        "2 reproduced, 1 contradicted, 1 inconclusive of 4; ratios 0.5 to 2; Adam 2/0/0, sgd 0/1/1",
        "[final_losses](notebooks/final_losses.ipynb)",
    ]
    row = words(at_widths(FEW, BETTER))
    assert row[4].endswith("; ratios 0.5; 1 with fewer than 6 pairs, too few to decide")


def test_the_page_has_every_cell():
    table = pd.concat([at_widths(BETTER, FEW), at_widths(WORSE, optimizer="sgd")])
    claims, cells = evaluated(claim(LOSSES, note="so they say"), final_losses=table)
    text = claim_pages.page(claims, cells, "../")
    assert "[final_losses](../notebooks/final_losses.ipynb)" in text
    assert "Source: ours: so they say. Rule: *paired*. Target: `table_final_losses`." in text
    rows = [re.sub(r"\s+", " ", line) for line in text.splitlines() if line.startswith("|")]
    assert "| all | – | 1 | 1 | 1 | 0.5 to 2 |" in rows
    assert "| optimizer | sgd | 0 | 1 | 0 | 2 |" in rows
    assert "| m = 10 | Adam | 20 | 0.5 [0.5, 0.5] ▼ | 5.7e-06 | reproduced |" in rows
    assert "| m = 20 | Adam | 5 | 0.5 [0.5, 0.5] ▼ | 0.062 | inconclusive |" in rows


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with evidence, claims and a page."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evidence").mkdir()
    at_widths(BETTER, WORSE).to_parquet("evidence/final_losses.parquet")
    Path("claims.yaml").write_text(yaml.safe_dump(content(claim(LOSSES))))
    Path("page.md").write_text("before\n<!-- claims -->\nold\n<!-- /claims -->\nafter\n")
    return tmp_path


def command(*options):
    return CliRunner().invoke(
        cli_claims.app, ["evidence", "--claims", "claims.yaml", *options], catch_exceptions=True
    )


def test_on_a_terminal_the_verdicts_fit_its_width_and_elsewhere_they_are_a_table(
    files, monkeypatch
):
    claims = read_claims("claims.yaml")
    cells = evaluate(claims, read_judged("evidence", claims))
    assert command().stdout == claim_pages.summary(claims, cells)
    monkeypatch.setattr(cli_claims, "terminal_width", lambda: 60)
    shown = command().stdout.splitlines()
    assert max(map(len, shown)) <= 60
    said = " ".join(line.strip() for line in shown)
    for words in (claims.claims[1].statement, "MIXED", "ratios 0.5 to 2", ".ipynb"):
        assert words in said


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_for_a_terminal_say_what_the_table_says(width):
    cells = evaluate(OURS, read_judged(REFERENCE, OURS))
    lines = claim_pages.lines(OURS, cells, width).splitlines()
    assert max(map(len, lines)) <= width
    said = " ".join(line.strip() for line in lines)
    for _, each, its in claim_pages.each_claim(OURS, cells):
        assert f"{each.statement} ({each.source}): {verdict(each, its).upper()}" in said
        assert "; ".join(claim_pages.cells_in_words(each, its, OURS.labels)) in said


def test_the_command_writes_both_tables_and_the_page(files):
    Path("tables").mkdir()
    done = command("--output", "tables/claims", "--readme", "page.md")
    assert done.exception is None, done.output
    claims = read_claims("claims.yaml")
    expected = evaluate(claims, read_judged("evidence", claims))
    written = pd.read_csv("tables/claims.csv")
    assert written["verdict"].tolist() == expected["verdict"].tolist()
    assert written["p_holm"].tolist() == expected["p_holm"].tolist()
    assert Path("tables/claims.md").read_text() == claim_pages.page(claims, expected, "../")
    page = Path("page.md").read_text()
    assert page.startswith("before\n<!-- claims -->\n")
    assert page.endswith("<!-- /claims -->\nafter\n")
    assert claim_pages.summary(claims, expected) in page
    assert "old" not in page
    assert command("--readme", "page.md").exception is None
    assert Path("page.md").read_text() == page


def test_without_files_it_prints_the_summary(files):
    before = sorted(files.rglob("*"))
    assert "**mixed**" in command().stdout
    assert sorted(files.rglob("*")) == before


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("page.md", "no block\n", "page.md: must have <!-- claims --> and <!-- /claims -->"),
        ("page.md", "<!-- /claims --><!-- claims -->", "once each, in this order"),
        ("evidence/final_losses.parquet", "x", "evidence/final_losses.parquet: not a readable re"),
        (
            "claims.yaml",
            yaml.safe_dump(content(claim(LOSSES | {"baseline": "x"}))),
            "baseline: 'x'",
        ),
        ("claims.yaml", yaml.safe_dump(content()), "claims.yaml: claims: {} given; dictionary"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(files, file, text, line):
    Path(file).write_text(text)
    before = {path: path.read_bytes() for path in files.rglob("*") if path.is_file()}
    done = command("--output", "claims", "--readme", "page.md")
    assert isinstance(done.exception, ValueError)
    assert line in str(done.exception)
    assert "\n" not in str(done.exception)
    after = {path: path.read_bytes() for path in files.rglob("*") if path.is_file()}
    assert after == before


def test_missing_evidence_is_named(files):
    Path("evidence/final_losses.parquet").unlink()
    assert str(command().exception) == "evidence/final_losses.parquet: there is no such file"


@pytest.mark.parametrize("incomplete", READ)
def test_a_missing_column_is_named(tmp_path, incomplete):
    needed = {name: (*kind.key, *kind.reading.columns) for name, kind in READ.items()}
    missing = needed[incomplete][-1]
    for name, columns in needed.items():
        table = pd.DataFrame({column: [1.0] for column in columns})
        table = table.drop(columns=missing) if name == incomplete else table
        table.to_parquet(tmp_path / f"{name}.parquet")
    line = f"{tmp_path / incomplete}.parquet: no column {missing!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        read_judged(tmp_path, OURS)


@pytest.mark.skipif(not REFERENCE.exists(), reason="there is no reference")
def test_no_other_columns_are_needed():
    evidence = read_judged(REFERENCE, OURS)
    for judged in (each for its in OURS.claims.values() for each in its.judged_on):
        table = evidence[judged.table]
        kind = READ[judged.table]
        needed = {*kind.key, *kind.reading.columns, *kind.reading.measures}
        assert len(log_ratios(table[sorted(needed)], judged, ""))


def test_the_readme_is_up_to_date():
    """Its block is what `make readme` writes, and empty as long as there is no reference."""
    readme = (ROOT / "README.md").read_text()
    if (REFERENCE / "final_losses.parquet").exists():
        cells = evaluate(OURS, read_judged(REFERENCE, OURS))
        block = claim_pages.readme_block(OURS, cells)
        assert readme == with_block(readme, "README.md", "claims", block)
    else:
        assert "<!-- claims -->\n<!-- /claims -->" in readme


def test_the_choices_in_the_guide_are_up_to_date():
    guide = (ROOT / "docs/guide.md").read_text()
    if (REFERENCE / "races.parquet").exists():
        block = guide_block(read_kind(REFERENCE, "races"))
        assert guide == with_block(guide, "docs/guide.md", "choices", block)
    else:
        assert "<!-- choices -->\n<!-- /choices -->" in guide


def test_runs_need_no_seed_in_common():
    """What cannot be paired is said, not judged."""
    apart = pd.concat([runs(relu=[1.0]), runs(new=[1.0]).assign(seed=7)], ignore_index=True)
    with pytest.raises(
        ValueError, match=r"^claims\.1\.judged_on\.0: no run of the baseline .* seed 7$"
    ):
        evaluated(claim(LOSSES), final_losses=apart)
