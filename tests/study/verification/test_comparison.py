"""The verification: whatever is altered beyond its tolerance is found, and nothing else is."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from evidence_examples import evidence, perturbed
from typer.testing import CliRunner

from hrta.cli import verify as cli_verify
from hrta.runtime.files import sha256, write_json, write_table
from hrta.study.analysis.agreement import Close, Drawn, Same
from hrta.study.claims.judgement import evaluate, read_judged
from hrta.study.claims.kinds import KINDS
from hrta.study.config.claims import read_claims
from hrta.study.verification.comparison import compare, disagreements, summary
from hrta.study.verification.reference import (
    SUMS,
    read_evidence,
    read_reference,
    records_of,
    write_reference,
)
from hrta.study.verification.tuning import RACED, about_choices, left_out

RULES = {name: kind.rules for name, kind in KINDS.items()}
COLUMNS = [(kind, column) for kind, rules in RULES.items() for column in rules]
ROOT = Path(__file__).parents[3]
NUMBERS = {"seeds": 6, "training.stage_steps": 5000}


@pytest.fixture
def run(tmp_path):
    """A run with evidence of every kind, and a reference made from it."""
    for kind, table in evidence().items():
        write_table(table, tmp_path / f"evidence/{kind}.parquet")
    write_json(NUMBERS, tmp_path / "evidence/configuration.json")
    write_json({"versions": {"torch": "2.9.0+cpu"}, "cpu": "one"}, tmp_path / "results/a.json")
    write_table(pd.DataFrame({"loss": [1.0]}), tmp_path / "results/a.parquet")
    write_reference(
        tmp_path / "evidence", tmp_path / "reference", [tmp_path / "results/a.json"], {}
    )
    return tmp_path


def verify(folder, *options):
    arguments = ["verify", str(folder / "evidence"), str(folder / "reference"), *options]
    return CliRunner().invoke(cli_verify.app, arguments)


def message(done):
    """The one line that a failed verification ends with."""
    assert isinstance(done.exception, ValueError), done.output
    assert "\n" not in str(done.exception)
    return str(done.exception)


def alter(folder, kind, change, sums=True):
    """Change a table of the reference, and its sum with it."""
    file = folder / f"reference/{kind}.parquet"
    table = pd.read_parquet(file)
    change(table)
    write_table(table, file)
    if sums:
        renew_sums(folder)


def renew_sums(folder):
    names = [line.split()[1] for line in (folder / "reference" / SUMS).read_text().splitlines()]
    lines = [f"{sha256(folder / 'reference' / name)}  {name}\n" for name in names]
    (folder / "reference" / SUMS).write_text("".join(lines))


def beyond(rule):
    """A factor that is more than a rule allows, in a cell of twelve seeds with a spread of 0.3."""
    return {Same: 1.0001, Close: 1.01, Drawn: 1e8}[type(rule)]


def test_a_run_agrees_with_its_own_reference(run):
    done = verify(run)
    assert done.exception is None, done.output
    assert f"all {len(COLUMNS) + 1} quantities agree" in done.stdout


@pytest.mark.parametrize(("kind", "column"), COLUMNS)
def test_any_one_number_that_is_altered_is_found(kind, column):
    reference = evidence()[kind]
    altered = reference.copy()
    row = len(altered) // 2
    known = pd.notna(altered.loc[row, column])
    changed = altered.loc[row, column] * beyond(RULES[kind][column]) if known else 1.0
    altered.loc[row, column] = changed
    for tables in ((reference, altered), (altered, reference)):
        table = summary(compare(*({kind: table} for table in tables)))
        assert table.loc[table["agree"] == "no", "quantity"].tolist() == [column]


@pytest.mark.parametrize("kind", KINDS)
def test_an_altered_reference_fails_whether_its_sum_is_renewed_or_not(run, kind):
    column = next(iter(RULES[kind]))

    def change(table):
        table.loc[1, column] = table.loc[1, column] * beyond(RULES[kind][column])

    alter(run, kind, change, sums=False)
    assert (
        f"{kind}.parquet: altered or incomplete; its digest is not that in SHA256SUMS"
        in message(verify(run))
    )
    renew_sums(run)
    done = verify(run)
    assert f"quantities disagree with {run / 'reference'}" in message(done)
    assert f"{kind}.{column}, " in done.stdout


def test_rounding_passes_and_the_worst_is_named():
    reference = evidence()
    table = summary(compare(reference, perturbed(reference, 1e-15)))
    assert set(table["agree"]) == {"yes"}
    assert table["worst, in tolerances"].max() < 0.5
    away = compare(reference, perturbed(reference, 0.2))
    lines = disagreements(away, most=3)
    assert len(lines) == 3
    assert "times what is allowed" in lines[0]


@pytest.mark.parametrize("kind", [kind for kind in RULES if kind != "tuning"])
def test_what_is_trained_may_differ_by_two_per_cent(kind):
    drawn = [column for column, rule in RULES[kind].items() if isinstance(rule, Drawn)]
    reference = evidence()[kind]
    fresh = reference.assign(**{column: reference[column] * 1.02 for column in drawn})
    table = summary(compare({kind: reference}, {kind: fresh}))
    assert set(table["agree"]) == {"yes"}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_and_columns_must_be_the_same(kind):
    table = evidence()[kind]
    for other in (table.iloc[1:], table.assign(more=1.0)):
        for pair in ((table, other), (other, table)):
            with pytest.raises(ValueError, match=f"verification: {kind}: "):
                compare(*({kind: part} for part in pair))
    with pytest.raises(ValueError, match=f"only one of the two has {kind}"):
        compare({kind: table}, {})


def test_a_part_of_the_items_is_compared_with_that_part_alone(run):
    """Two kinds of evidence, one of them with half of its rows."""
    (run / "evidence/spectra.parquet").unlink()
    losses = evidence()["final_losses"]
    write_table(losses.iloc[: len(losses) // 2], run / "evidence/final_losses.parquet")
    assert "verification: only one of the two has spectra" in message(verify(run))
    done = verify(run, "--partial")
    assert done.exception is None, done.output
    assert "final_losses" in done.stdout
    assert "spectra" not in done.stdout
    altered = losses.assign(loss=losses["loss"] * 1e8).iloc[:12]
    write_table(altered, run / "evidence/final_losses.parquet")
    assert "quantities disagree" in message(verify(run, "--partial"))
    unknown = losses.assign(seed=losses["seed"] + 1000)
    write_table(unknown, run / "evidence/final_losses.parquet")
    assert "rows are only in the fresh run" in message(verify(run, "--partial"))


def test_a_column_without_a_rule_is_refused():
    table = evidence()["anmin"].assign(more=1.0)
    with pytest.raises(ValueError, match=r"^verification: no rule for anmin\.more$"):
        compare({"anmin": table}, {"anmin": table})


def test_races_are_compared_if_tuned_to_the_same_parameters():
    reference, fresh = evidence(), evidence()
    cell = dict(reference["tuning"].loc[0, ["race", "problem", "width", "method"]])
    races = fresh["races"]
    here = (races[list(cell)] == pd.Series(cell)).all(axis=1)
    races.loc[here, "loss"] *= 100
    away = compare(reference, fresh)
    assert away.loc[away["kind"] == "races", "units"].max() > 1
    # The other candidate wins by a hair, in one of two cells: more than may be.
    tuning = fresh["tuning"]
    mine = (tuning[list(cell)] == pd.Series(cell)).all(axis=1)
    tuning.loc[mine, "chosen"] = ~tuning.loc[mine, "chosen"]
    tuning.loc[mine & (tuning["candidate"] == 1), "loss"] = 1e-9
    reference["tuning"].loc[mine & (tuning["candidate"] == 1), "loss"] = 1.01e-9
    reference["tuning"].loc[mine & (tuning["candidate"] == 0), "loss"] = 1e-9
    tuning.loc[mine & (tuning["candidate"] == 0), "loss"] = 1.01e-9
    away = compare(reference, fresh)
    assert away.loc[away["kind"] == "races", "units"].max() == 0
    odd = away[away["units"] > 1]
    assert odd["check"].tolist() == ["otherwise"]
    assert left_out(away) == ["p: 1 of 2 cells were tuned otherwise and are left out"]


def choices(cells):
    """What `tuned` makes of races with so many cells, of which so many are tuned otherwise."""
    rows = [
        (race, "p", 1, method, 0, int(method < odd))
        for race, (odd, all_) in cells.items()
        for method in range(all_)
    ]
    return pd.DataFrame(rows, columns=[*RACED, "reference", "fresh"])


def test_each_race_may_have_a_tenth_of_its_cells_tuned_otherwise():
    away = about_choices(choices({"a": (0, 500), "b": (3, 20), "c": (2, 20)}))
    assert away.loc[away["units"] > 1, "race"].tolist() == ["b"]
    assert left_out(away)[1:] == [
        "b: 3 of 20 cells were tuned otherwise and are left out",
        "c: 2 of 20 cells were tuned otherwise and are left out",
    ]


def test_a_flag_that_not_all_seeds_share_is_found():
    for flag in (True, False):
        reference, altered = evidence(), evidence()
        tuning = altered["tuning"]
        tuning.loc[tuning.index[tuning["chosen"] == flag][1], "chosen"] = not flag
        for tables in ((reference, altered), (altered, reference)):
            away = compare(*tables)
            assert set(away.loc[away["units"] == np.inf, "check"]) == {"choice"}


@pytest.mark.parametrize("which", ["none", "another", "both"])
def test_a_choice_that_the_losses_do_not_speak_for_is_found(which):
    reference, altered = evidence(), evidence()
    tuning = altered["tuning"]
    first = (tuning.iloc[:, :4] == tuning.iloc[0, :4]).all(axis=1)
    chosen = {"none": False, "another": ~tuning["chosen"], "both": True}[which]
    tuning["chosen"] = tuning["chosen"].where(~first, chosen)
    for tables in ((reference, altered), (altered, reference)):
        away = compare(*tables)
        assert set(away.loc[away["units"] == np.inf, "check"]) == {"choice"}


def test_another_configuration_is_said_in_one_line(run):
    write_json(NUMBERS | {"seeds": 4, "more": [1]}, run / "evidence/configuration.json")
    said = message(verify(run))
    assert (
        "configuration differs from the reference: more is [1], in the reference missing; "
        "seeds is 4, in the reference 6" in said
    )


def test_many_differences_are_counted(run):
    write_json({f"n{i}": i for i in range(9)}, run / "evidence/configuration.json")
    assert message(verify(run)).endswith("and 8 more differ")


def test_a_run_that_is_not_there_or_not_complete_is_said(run):
    (run / "evidence/final_losses.parquet").unlink()
    assert message(verify(run)) == "verification: only one of the two has final_losses"
    (run / "evidence/configuration.json").unlink()
    assert "evidence/configuration.json: there is no such file" in message(verify(run))


def test_a_fresh_table_that_is_cut_is_said(run):
    file = run / "evidence/races.parquet"
    file.write_bytes(file.read_bytes()[:100])
    assert f"{file}: not a readable result" in message(verify(run))


@pytest.mark.parametrize("name", ["final_losses.parquet", "configuration.json", "environment.json"])
@pytest.mark.parametrize("damage", ["cut", "altered", "missing"])
def test_a_damaged_reference_is_said(run, name, damage):
    file = run / "reference" / name
    if damage == "missing":
        file.unlink()
        assert message(verify(run)) == f"{file}: there is no such file, but SHA256SUMS lists it"
        return
    content = file.read_bytes()
    middle = len(content) // 2
    altered = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    file.write_bytes(content[:middle] if damage == "cut" else altered)
    assert f"{file}: altered or incomplete; its digest is not that in SHA256SUMS" in message(
        verify(run)
    )


def test_without_a_reference_or_its_sums_nothing_is_compared(run):
    (run / "reference" / SUMS).write_text("nonsense\n")
    assert "'nonsense' is not a line of sha256sum" in message(verify(run))
    (run / "reference" / SUMS).unlink()
    assert message(verify(run)) == f"{run / 'reference'}: not a reference; {SUMS} is missing"


def test_all_files_of_a_reference_must_have_a_sum(run):
    (run / "reference/README.md").write_text("words")
    assert verify(run).exception is None
    sums = run / "reference" / SUMS
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(line for line in lines if "poisson" not in line))
    assert message(verify(run)) == f"{sums}: does not list poisson.parquet"
    sums.write_text("")
    assert f"{sums}: does not list acceleration.parquet, " in message(verify(run))


def test_a_new_reference_keeps_nothing_of_an_earlier_one(run):
    (run / "reference/README.md").write_text("words")
    (run / "evidence/poisson.parquet").unlink()
    (run / "kept.csv").write_text("1")
    records = [run / "results/a.json"]
    write_reference(run / "evidence", run / "reference", records, {}, [run / "kept.csv"])
    assert (run / "reference/kept.csv").exists()
    write_reference(run / "evidence", run / "reference", records, {})
    there = {file.name for file in (run / "reference").iterdir()}
    assert not there & {"poisson.parquet", "kept.csv"}
    assert "README.md" in there
    assert verify(run).exception is None


def test_records_are_those_of_results(run):
    results = run / "results"
    for name in ("benchmark", "manifest/manifest", "smoke/results/a", "deep/b"):
        write_json({"versions": {"torch": "1"}}, results / f"{name}.json")
    for name in ("smoke/results/a", "deep/b", "deep/c"):
        write_table(pd.DataFrame({"loss": [1.0]}), results / f"{name}.parquet")
    write_json({"no": "record"}, results / "deep/c.json")
    assert records_of(results) == [results / "a.json", results / "deep/b.json"]


def test_the_commit_is_that_of_the_manifest(run):
    known = {"python": "3", "packages": {}, "platform": "p", "cpu": "c"}
    manifest = {"made": "2026-01-01T00:00:00Z", "code": ".", "commit": "abc", "modified": True}
    manifest |= {"configuration": {}, "environment": known, "jobs": [], "artifacts": {}}
    write_json(manifest, run / "results/manifest/manifest.json")
    arguments = [str(run / "evidence"), str(run / "new"), "--results", str(run / "results")]
    done = CliRunner().invoke(cli_verify.app, ["reference", *arguments])
    assert done.exception is None, done.output
    record = json.loads((run / "new/environment.json").read_text())
    assert (record["commit"], record["modified"]) == ("abc", True)


def test_labels_are_not_compared(run):
    labels = {"beyond.activations.bases.gelu": "GELU", "a.label": "x"}
    write_json(NUMBERS | labels, run / "reference/configuration.json")
    renew_sums(run)
    assert verify(run).exception is None


def test_the_verdicts_of_the_reference_follow_from_it():
    folder = ROOT / "data/reference"
    claims = read_claims(ROOT / "config/claims.yaml")
    found = evaluate(claims, read_judged(folder, claims))
    kept = pd.read_csv(folder / "claims.csv")
    # Written and read, as the kept one was.
    found = pd.read_csv(StringIO(found.to_csv(index=False)))
    pd.testing.assert_frame_equal(found, kept, rtol=1e-9, atol=0)


def test_a_kind_that_was_taken_out_of_the_reference_with_its_sum_is_missed(run):
    (run / "reference/poisson.parquet").unlink()
    lines = (run / "reference" / SUMS).read_text().splitlines(keepends=True)
    (run / "reference" / SUMS).write_text("".join(li for li in lines if "poisson" not in li))
    assert message(verify(run)) == "verification: only one of the two has poisson"


def test_a_reference_is_the_evidence_and_says_where_it_comes_from(run):
    claims = run / "claims.csv"
    claims.write_text("claim,verdict\n")
    arguments = [str(run / "evidence"), str(run / "new"), "--results", str(run / "results")]
    done = CliRunner().invoke(cli_verify.app, ["reference", *arguments, "--keep", str(claims)])
    assert done.exception is None, done.output
    tables, numbers = read_reference(run / "new")
    for kind, table in read_evidence(run / "evidence")[0].items():
        pd.testing.assert_frame_equal(tables[kind], table)
    assert numbers == NUMBERS
    record = json.loads((run / "new/environment.json").read_text())
    assert record["machines"] == [
        {"versions": {"torch": "2.9.0"}, "platform": None, "cpu": "one", "device": None}
    ]
    assert {"made", "commit", "modified"} <= set(record)
    assert (run / "new/claims.csv").read_text() == "claim,verdict\n"
    assert "  claims.csv\n" in (run / "new" / SUMS).read_text()


def test_a_reference_needs_evidence_and_records(run):
    command = ["reference", str(run / "evidence"), str(run / "new"), "--results"]
    done = CliRunner().invoke(cli_verify.app, [*command, str(run / "nothing")])
    assert message(done).startswith("reference: no records beside the results")
    done = CliRunner().invoke(
        cli_verify.app, ["reference", str(run), str(run / "new"), *command[3:], "x"]
    )
    assert "there is no such file" in message(done)
    assert not (run / "new").exists()
