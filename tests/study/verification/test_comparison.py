"""The verification: whatever is altered beyond its tolerance is found, and nothing else is."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from evidence_examples import MADE, evidence, perturbed
from typer.testing import CliRunner

from hrta.cli import verify as cli_verify
from hrta.runtime.files import sha256, write_json, write_table
from hrta.study.analysis.agreement import Close, Same
from hrta.study.analysis.draws import Drawn
from hrta.study.claims.judgement import evaluate, read_judged
from hrta.study.claims.kinds import KINDS
from hrta.study.config.claims import read_claims
from hrta.study.verification.comparison import compare, disagreements, summary
from hrta.study.verification.reference import (
    SUMS,
    read_evidence,
    read_reference,
    write_reference,
)
from hrta.study.verification.tuning import RACED, about_choices, tuned_otherwise

RULES = {name: kind.rules for name, kind in KINDS.items()}
COLUMNS = [(kind, column) for kind, rules in RULES.items() for column in rules]
ROOT = Path(__file__).parents[3]
NUMBERS = {"training.stage_steps": 5000} | dict.fromkeys(
    [
        *("seeds", "spectra.seeds", "theory.rates.seeds", "theory.motion.seeds"),
        *("theory.width_limit.seeds", "theory.sample_number.points", "poisson.problems.p.seeds"),
        *("competitors.acceleration.seeds", "competitors.adaptive_slopes.seeds"),
        *(
            "competitors.alternation.seeds",
            "competitors.race.seeds",
            "competitors.p.seeds",
            "competitors.p.tuning_seeds",
        ),
    ],
    12,
)


@pytest.fixture
def run(tmp_path):
    """A run with evidence of every kind, and a reference made from it."""
    for kind, table in evidence().items():
        write_table(table, tmp_path / f"evidence/{kind}.parquet")
    write_json(NUMBERS, tmp_path / "evidence/configuration.json")
    write_json({"versions": {"torch": "2.9.0+cpu"}, "cpu": "one"}, tmp_path / "results/a.json")
    write_table(pd.DataFrame({"loss": [1.0]}), tmp_path / "results/a.parquet")
    write_reference(tmp_path / "evidence", tmp_path / "reference", {"commit": "abc"})
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


def renew_sums(folder, *more):
    lines = (folder / "reference" / SUMS).read_text().splitlines()
    names = [*(line.split()[1] for line in lines), *more]
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


@pytest.mark.parametrize("kind", ["final_losses", "theory_width", "data"])  # of each rule one
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
def test_what_is_trained_may_differ_by_two_per_mille(kind):
    drawn = [column for column, rule in RULES[kind].items() if isinstance(rule, Drawn)]
    reference = evidence()[kind]
    fresh = reference.assign(**{column: reference[column] * 1.002 for column in drawn})
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
    reference["tuning"].loc[mine & (tuning["candidate"] == 1), "loss"] = 1.001e-9
    reference["tuning"].loc[mine & (tuning["candidate"] == 0), "loss"] = 1e-9
    tuning.loc[mine & (tuning["candidate"] == 0), "loss"] = 1.001e-9
    away = compare(reference, fresh)
    # The medians of a cell that was tuned otherwise may differ, but not by so much.
    odd = away[away["units"] > 1]
    assert set(odd["check"]) == {"otherwise", "tuned otherwise"}
    races.loc[here, "loss"] /= 20
    away = compare(reference, fresh)
    odd = away[away["units"] > 1]
    assert odd["check"].tolist() == ["otherwise"]
    assert tuned_otherwise(away) == ["p: 1 of 2 cells were tuned otherwise; compared by medians"]


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
    assert tuned_otherwise(away)[1:] == [
        "b: 3 of 20 cells were tuned otherwise; compared by medians",
        "c: 2 of 20 cells were tuned otherwise; compared by medians",
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
    more = {"training.stage_steps": 400, "more": [1]}
    write_json(NUMBERS | more, run / "evidence/configuration.json")
    said = message(verify(run))
    assert (
        "configuration differs from the reference: more is [1], in the reference missing; "
        "training.stage_steps is 400, in the reference 5000" in said
    )


def test_many_differences_are_counted(run):
    write_json(NUMBERS | {f"n{i}": i for i in range(9)}, run / "evidence/configuration.json")
    assert message(verify(run)).endswith("and 6 more differ")


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
    sums = run / "reference" / SUMS
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(line for line in lines if "poisson" not in line))
    assert message(verify(run)) == f"{sums}: does not list poisson.parquet"
    sums.write_text("")
    assert f"{sums}: does not list acceleration.parquet, " in message(verify(run))
    sums.write_text("".join(lines))
    (run / "reference/README.md").write_text("words")
    assert message(verify(run)) == f"{sums}: does not list README.md"
    renew_sums(run, "README.md")
    assert verify(run).exception is None
    (run / "reference/README.md").write_text("other words")
    assert "README.md: altered or incomplete" in message(verify(run))


@pytest.mark.parametrize("kind", ["poisson", "data", "races"])
def test_a_kind_that_is_missing_everywhere_is_found(run, kind):
    """Removed from the run and from the reference, with its line."""
    for folder in ("reference", "evidence"):
        (run / folder / f"{kind}.parquet").unlink()
    lines = (run / "reference" / SUMS).read_text().splitlines(keepends=True)
    (run / "reference" / SUMS).write_text("".join(li for li in lines if kind not in li))
    missing = f"{run / 'reference'}: incomplete reference; it has no {kind}"
    assert message(verify(run)) == missing
    assert message(verify(run, "--partial")) == missing


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("\n", "\r\n"), "is not a line of sha256sum"),
        (lambda text: text + text.splitlines(keepends=True)[0], "or is twice"),
        (lambda text: text.upper(), "is not a line of sha256sum"),
        (lambda text: text.replace("  ", " *"), "is not a line of sha256sum"),
        (lambda text: text.replace("  races", "  ../races"), "is not a line of sha256sum"),
        (lambda text: "\n" + text, "'' is not a line of sha256sum"),
    ],
    ids=["CRLF", "twice", "capitals", "binary", "elsewhere", "empty"],
)
def test_sums_must_be_as_sha256sum_writes_them(run, change, said):
    sums = run / "reference" / SUMS
    sums.write_bytes(change(sums.read_text()).encode())
    assert said in message(verify(run))


@pytest.mark.parametrize("name", ["evidence/configuration.json", "evidence/environment.json"])
@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' * 100_000, "[]", "{", "\xff"])
def test_json_that_is_no_object_is_said_in_one_line(run, name, text):
    (run / name).write_bytes(text.encode("latin-1"))
    assert str(run / name) in message(verify(run))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.assign(seed=t["seed"].astype(str)), "the column 'seed' must have numbers"),
        (lambda t: t.assign(loss=t["loss"].astype(str)), "the column 'loss' must have numbers"),
        (lambda t: t.assign(width=t["width"] > 0), "the column 'width' must have numbers"),
        (lambda t: t.assign(method=1), "the column 'method' must have names"),
        (lambda t: t.drop(columns="width"), "no column 'width'"),
        (lambda t: pd.concat([t, t.iloc[:3]]), "3 rows have the key of another, the first race p"),
        (lambda t: t.iloc[1:], "11 seeds instead of the 12 of the configuration: race p"),
        (lambda t: pd.concat([t, t.assign(seed=t["seed"] + 12)]), "24 seeds instead of the 12"),
    ],
    ids=["seed", "loss", "bool", "names", "missing", "twice", "fewer", "more"],
)
@pytest.mark.parametrize("both", [True, False])
def test_a_table_that_is_none_of_its_kind_is_found(run, change, said, both):
    """Also if the reference was altered in the same way, with its sum."""
    file = run / "evidence/races.parquet"
    write_table(change(pd.read_parquet(file)), file)
    if both:
        (run / "reference/races.parquet").write_bytes(file.read_bytes())
        renew_sums(run)
    assert f"races.parquet: {said}" in message(verify(run))


def test_a_new_reference_keeps_nothing_of_an_earlier_one(run):
    (run / "reference/README.md").write_text("words")
    (run / "kept.csv").write_text("1")
    write_reference(run / "evidence", run / "reference", {}, [run / "kept.csv"])
    assert (run / "reference/kept.csv").exists()
    (run / "evidence/poisson.parquet").unlink()
    write_reference(run / "evidence", run / "reference", {})
    there = {file.name for file in (run / "reference").iterdir()}
    assert not there & {"poisson.parquet", "kept.csv"}
    assert "README.md" in there
    assert "incomplete reference; it has no poisson" in message(verify(run))


LOSS = ["final_losses", "loss"]


def second(run):
    """Another reference, in a folder of the first."""
    losses = evidence()["final_losses"]
    write_table(losses.assign(loss=losses["loss"] * 1.001), run / "evidence/final_losses.parquet")
    write_reference(run / "evidence", run / "reference/other", {"machines": [{"cpu": "two"}]})


def test_a_run_is_compared_with_every_reference(run):
    second(run)
    done = verify(run)
    assert done.exception is None, done.output
    assert f"reference 2:\n  {run / 'reference/other'} (two): " in done.stdout
    apart = next(row for row in done.stdout.splitlines() if row.split()[:2] == LOSS)
    assert apart.split()[-6:] == ["yes", "0.1", "%", "0", "0.1", "%"]
    losses = evidence()["final_losses"]
    write_table(losses.assign(loss=losses["loss"] * 1e4), run / "evidence/final_losses.parquet")
    assert "quantities disagree" in message(verify(run))
    (run / "reference/other" / SUMS).unlink()
    assert message(verify(run)) == f"{run / 'reference/other'}: not a reference; {SUMS} is missing"


def test_one_processor_model_and_code_must_give_the_same_bits(run):
    write_json(MADE, run / "reference/environment.json")
    renew_sums(run)
    write_json(MADE, run / "evidence/environment.json")
    assert verify(run).exception is None
    losses = evidence()["final_losses"]
    losses.loc[3, "loss"] = np.nextafter(losses.loc[3, "loss"], 1)
    write_table(losses, run / "evidence/final_losses.parquet")
    done = verify(run)
    assert "1 of " in message(done)
    assert "final_losses.loss, bit for bit" in done.stdout
    write_json(MADE | {"code": "other"}, run / "evidence/environment.json")
    assert verify(run).exception is None


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


@pytest.mark.parametrize("folder", ["data/reference", "data/reference/intel"])
def test_the_verdicts_of_the_reference_follow_from_it(folder):
    folder = ROOT / folder
    claims = read_claims(ROOT / "config/claims.yaml")
    found = evaluate(claims, read_judged(folder, claims))
    kept = pd.read_csv(folder / "claims.csv")
    # Written and read, as the kept one was.
    found = pd.read_csv(StringIO(found.to_csv(index=False)))
    pd.testing.assert_frame_equal(found, kept, rtol=1e-9, atol=0)


def test_a_reference_is_the_evidence_and_says_where_it_comes_from(run):
    claims = run / "claims.csv"
    claims.write_text("claim,verdict\n")
    arguments = [str(run / "evidence"), str(run / "new"), "--results", str(run / "results")]
    done = CliRunner().invoke(cli_verify.app, ["reference", *arguments, "--keep", str(claims)])
    assert done.exception is None, done.output
    made = read_reference(run / "new")
    for kind, table in read_evidence(run / "evidence").tables.items():
        pd.testing.assert_frame_equal(made.tables[kind], table)
    assert made.configuration == NUMBERS
    record = json.loads((run / "new/environment.json").read_text())
    assert record["machines"] == [
        {"versions": {"torch": "2.9.0"}, "platform": None, "cpu": "one"}
        | {"cpu_model": None, "device": None}
    ]
    assert {"made", "commit", "modified", "code"} <= set(record)
    assert (run / "new/claims.csv").read_text() == "claim,verdict\n"
    assert "  claims.csv\n" in (run / "new" / SUMS).read_text()


def test_a_reference_needs_evidence_and_records(run):
    command = ["reference", str(run / "evidence"), str(run / "new"), "--results"]
    done = CliRunner().invoke(cli_verify.app, [*command, str(run / "nothing")])
    assert message(done).startswith("reference: no records beside the results")
    command[1] = str(run)
    done = CliRunner().invoke(cli_verify.app, [*command, str(run / "results")])
    assert "there is no such file" in message(done)
    assert not (run / "new").exists()
