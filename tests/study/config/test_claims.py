import copy
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from claim_examples import CLOSED, LOSSES, claim, content

from hrta.study.config.claims import read_claims
from hrta.study.config.mistakes import ConfigError

ROOT = Path(__file__).parents[3]
OURS = ROOT / "config/claims.yaml"


@pytest.fixture
def read(tmp_path):
    """The claims of this content."""

    def read(given):
        file = tmp_path / "claims.yaml"
        file.write_text(given if isinstance(given, str) else yaml.safe_dump(given))
        return read_claims(file)

    return read


def test_the_claims_are_the_twelve_with_their_sources():
    claims = read_claims(OURS).claims
    assert list(claims) == list(range(1, 13))
    assert [number for number in claims if claims[number].source == "ours"] == [10, 11, 12]
    assert [number for number in claims if claims[number].any_of] == [11]


def test_the_tables_that_claims_need(read):
    both = claim(LOSSES, CLOSED | {"contrast": "rounding"})
    assert read(content(both, claim(LOSSES))).tables == ["final_losses", "spectra"]


def test_every_claim_names_a_notebook_and_a_target_that_executes_it(tmp_path):
    """As the README has them, which are the workflow's."""
    command = ["snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path]
    done = subprocess.run([*command, "--list-rules"], capture_output=True, text=True, check=True)
    rows = re.findall(r"^\|.*\|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    for each in read_claims(OURS).claims.values():
        assert (ROOT / each.shown.notebook).exists()
        assert each.shown.target in done.stdout.split()
        assert any(f"`{each.shown.target}`" in r and f"({each.shown.notebook})" in r for r in rows)


def test_names_are_those_of_the_configuration():
    """Smoke or full: what the claims name is there."""
    settings = yaml.safe_load((ROOT / "config/replication.yaml").read_text())
    methods = {"final_losses": settings["methods"], "poisson": settings["poisson"]["methods"]}
    for each in read_claims(OURS).claims.values():
        for judged in each.judged_on:
            if judged.table in methods:
                assert {*judged.methods, judged.baseline} <= set(methods[judged.table])
            elif judged.table == "races":
                race = settings["extensions"][judged.race]
                assert {*judged.methods, judged.baseline} <= set(race["paths"])


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("judged_on.0.table", "losses", "input tag 'losses' found using 'table' does not match"),
        ("judged_on.0.table", "spectra", "claims.1.judged_on.0.spectra.baseline: unknown key"),
        ("judged_on.0.rule", "each", "final_losses.rule: 'each' given; must be 'paired'"),
        ("judged_on.0.problems", [], "final_losses.problems: [] given; list should have"),
        ("judged_on.0.widths", "al", "final_losses.widths: 'al' given; must be 'all'"),
        ("judged_on.0.widths", [5, 5], "final_losses.widths: [5, 5] given; entries must differ"),
        ("judged_on.0.learning_rates", "best", "'best' given; must be 'all', 'lowest'"),
        ("judged_on.0.methods", ..., "final_losses.methods: Field required"),
        ("judged_on", [], "claims.1.judged_on: [] given; list should have at least 1"),
        ("source", "guess", "claims.1.source: 'guess' given; must be 'abstract', "),
        ("any_of", "seed", "claims.1.any_of: 'seed' given; must be 'optimizer'"),
        ("told_by", ["seed"], "claims.1.told_by.0: 'seed' given; must be 'problem', "),
        ("shown.notebook", "x.ipynb", "claims.1.shown.notebook: 'x.ipynb' given; string should"),
        ("shown.target", "all", "claims.1.shown.target: 'all' given; string should match"),
        ("verdict", "good", "claims.1.verdict: unknown key; allowed are statement, source, "),
    ],
)
def test_mistakes_are_told_with_their_key(read, path, value, line):
    given = copy.deepcopy(content(claim(LOSSES)))
    *parents, last = path.split(".")
    at = given["claims"][1]
    for key in parents:
        at = at[int(key) if key.isdigit() else key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    with pytest.raises(ConfigError) as raised:
        read(given)
    assert ": claims.1" in str(raised.value)
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_other_mistakes_of_the_file(read, tmp_path):
    with pytest.raises(ConfigError, match=r"claims\.yaml: not YAML \("):
        read("claims: [")
    with pytest.raises(ConfigError, match=r"top level: .* given; must be a valid dict"):
        read(json.dumps([1]))
    with pytest.raises(ConfigError, match=r"claims\.0: 0 given; must be greater"):
        read({"rules": {}, "labels": {}, "claims": {0: claim(LOSSES)}})
    with pytest.raises(
        ConfigError, match=r"judged_on\.0\.rule: 'paired' given; it is not among the rules"
    ):
        read(content(claim(LOSSES), rules={"every": "each"}))
    with pytest.raises(OSError, match="nowhere"):
        read_claims(tmp_path / "nowhere.yaml")
