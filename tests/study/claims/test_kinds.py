"""The registry of the evidence and the configuration of the claims agree."""

from typing import get_args

import pytest

from hrta.study.analysis.agreement import Close
from hrta.study.analysis.draws import Drawn
from hrta.study.claims import ratios
from hrta.study.claims.kinds import KINDS
from hrta.study.config.claims import Bound, Races, Runs, Spectra

READ = {name: kind for name, kind in KINDS.items() if kind.reading is not None}
FUNCTIONS = {
    Runs: ratios.of_runs,
    Races: ratios.of_races,
    Spectra: ratios.of_spectra,
    Bound: ratios.of_bound,
}


def test_claims_may_be_judged_on_the_kinds_that_say_how_they_are_read():
    allowed = {
        table: function
        for model, function in FUNCTIONS.items()
        for table in get_args(model.model_fields["table"].annotation)
    }
    assert allowed == {name: kind.reading.ratios for name, kind in READ.items()}


@pytest.mark.parametrize("name", READ)
def test_what_claims_read_is_there(name):
    kind = READ[name]
    assert {*kind.reading.measures, *kind.reading.columns} <= set(kind.rules)
    assert kind.reading.problem in kind.key


@pytest.mark.parametrize("name", KINDS)
def test_rules_refer_to_columns_of_the_kind(name):
    kind = KINDS[name]
    assert len(set(kind.key)) == len(kind.key)
    assert not set(kind.key) & set(kind.rules)
    assert set(kind.cell) == set(kind.key) - {"seed"}
    for rule in kind.rules.values():
        if isinstance(rule, Drawn):
            assert "seed" in kind.key
            assert {*(rule.pool or ()), *(rule.near or ())} <= set(kind.cell)
        if isinstance(rule, Close):
            assert set(rule.group) <= set(kind.key)
            assert rule.of is None or rule.of in kind.rules
