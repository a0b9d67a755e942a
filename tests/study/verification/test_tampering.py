"""Changes of a real replication that verification promises to find, and nothing else.

The run is the second reference, which differs from the first by its processor.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hrta.study.analysis.draws import Drawn
from hrta.study.claims.judgement import evaluate
from hrta.study.claims.kinds import KINDS
from hrta.study.config.claims import Claims, read_claims
from hrta.study.verification.comparison import compare, disagreements, paired
from hrta.study.verification.pairing import pairings
from hrta.study.verification.reference import read_references
from hrta.study.verification.report import verified
from hrta.study.verification.tables import check_table
from hrta.study.verification.tuning import RACED
from hrta.study.verification.verdicts import (
    changed_verdicts,
    claim_ratios,
    kept_verdicts,
    ratio_quantity,
)

ROOT = Path(__file__).parents[3]
# The probability of a false alarm with which a run is compared with each of two references.
ALARM = 0.0025


@pytest.fixture(scope="module")
def references():
    return read_references(ROOT / "data/reference")


@pytest.fixture(scope="module")
def tables(references):
    """The tables of both references, to be copied before they are changed."""
    return tuple(each.tables for each in references)


def found(reference, fresh, *kinds):
    """The disagreements in these kinds of evidence."""
    away = compare(*({kind: side[kind] for kind in kinds} for side in (reference, fresh)), ALARM)
    return away[away["units"] > 1]


def test_the_references_agree_with_one_another(references):
    for one, other in (references, references[::-1]):
        comparisons, rows = verified(one, [other], None, partial=False)
        assert set(rows["agree"]) == {"yes"}, disagreements(comparisons[0].deviations)
        assert not comparisons[0].exact


@pytest.mark.parametrize("factor", [1.02, 1 / 1.02])
@pytest.mark.parametrize("kind", ["final_losses", "switches", "races", "tuning", "theory_rates"])
def test_every_loss_times_1_02_is_found(tables, kind, factor):
    reference, fresh = tables
    drawn = [name for name, rule in KINDS[kind].rules.items() if isinstance(rule, Drawn)]
    drawn = [name for name in drawn if name != "test_error"]
    altered = fresh[kind].assign(**{name: fresh[kind][name] * factor for name in drawn})
    kinds = ["races", "tuning"] if kind == "races" else [kind]
    assert found(reference, fresh, *kinds).empty
    assert not found(reference, fresh | {kind: altered}, *kinds).empty


def of_claim(number):
    ours = read_claims(ROOT / "config/claims.yaml")
    return Claims.model_construct(**(ours.__dict__ | {"claims": {number: ours.claims[number]}}))


def test_a_claim_turned_over_by_fewer_than_half_of_the_seeds_is_found(references, tables):
    """Of each cell of claim 4, contradicted, the seeds nearest to a tie, until it is reproduced."""
    claims, (reference, fresh) = of_claim(4), tables
    losses = fresh["final_losses"].copy()
    on = ["experiment", "width", "optimizer", "learning_rate", "seed"]
    relu = losses[losses["method"] == "relu"].set_index(on)["loss"]
    here = losses.index[losses["method"] == "homotopy"]
    ratio = losses.loc[here, "loss"] / relu.reindex(losses.loc[here].set_index(on).index).to_numpy()
    # Above 1, and among the lowest half of the cell.
    rank = ratio.groupby([losses.loc[here, name] for name in on[:-1]]).rank()
    turned = here[(ratio > 1) & (rank <= 49)]
    losses.loc[turned, "loss"] /= 2.3 * ratio[turned].clip(lower=1)
    altered = fresh | {"final_losses": losses}
    quantity = ratio_quantity(claim_ratios(claims, reference), claim_ratios(claims, altered))
    plain = ratio_quantity(claim_ratios(claims, reference), claim_ratios(claims, fresh))
    # The level of a full verification.
    assert plain.deviations(1e-8)["units"].max() < 1
    assert quantity.deviations(1e-8)["units"].max() > 1
    assert not found(reference, altered, "final_losses").empty


def test_turned_verdicts_are_found(references, tables):
    """A verdict at the limit may change, opposite ones and many may not."""
    claims = of_claim(4)
    kept = kept_verdicts(references[0].folder)
    kept = kept[kept["claim"] == 4]
    cells = evaluate(claims, tables[1])
    assert changed_verdicts(kept, cells)["units"].max() <= 1
    for verdicts, agree in [
        (["inconclusive"], True),
        (["inconclusive"] * 3, False),
        (["reproduced"], False),
    ]:
        turned = cells.copy()
        turned.loc[: len(verdicts) - 1, "verdict"] = verdicts
        assert (changed_verdicts(kept, turned)["units"].max() <= 1) == agree
    assert changed_verdicts(kept, cells.iloc[1:])["units"].max() == np.inf


def test_duplicate_rows_are_found(references, tables):
    table = tables[1]["final_losses"]
    twice = pd.concat([table, table.sample(20_000, random_state=0)], ignore_index=True)
    with pytest.raises(ValueError, match="20000 rows have the key of another"):
        check_table("final_losses", twice, references[0].configuration)
    with pytest.raises(ValueError, match="two rows of the fresh run have the same key"):
        compare(*({"final_losses": each} for each in (table, twice)))


@pytest.mark.parametrize("kind", ["final_losses", "races", "tuning", "poisson", "slopes", "anmin"])
def test_fewer_seeds_than_configured_are_found(references, kind):
    first, configuration = references[0].tables[kind], references[0].configuration
    check_table(kind, first, configuration)
    for fewer in (first.iloc[1:], first[first["seed"] != first["seed"].min()]):
        with pytest.raises(ValueError, match="seeds instead of the"):
            check_table(kind, fewer, configuration)


def test_cells_tuned_otherwise_whose_losses_shrink_are_found(tables):
    """57 cells whose second candidate is the best by 2 %, their losses times 1e-6."""
    reference, fresh = tables
    tuning, races = fresh["tuning"].copy(), fresh["races"].copy()
    random = np.random.default_rng(0)
    cells = tuning[RACED].drop_duplicates()
    # Those with at least two candidates.
    many = tuning.groupby(RACED)["candidate"].nunique().rename("many").reset_index()
    cells = cells.merge(many[many["many"] > 1][RACED]).sample(57, random_state=random)
    for cell in cells.itertuples(index=False):
        mine = (tuning[RACED] == list(cell)).all(axis=1)
        taken = mine & tuning["chosen"]
        other = mine & (
            tuning["candidate"] == tuning.loc[mine & ~tuning["chosen"], "candidate"].iloc[0]
        )
        tuning.loc[other, "loss"] = 0.98 * tuning.loc[taken, "loss"].to_numpy()
        tuning.loc[mine, "chosen"] = other[mine]
        races.loc[(races[RACED] == list(cell)).all(axis=1), ["loss", "test_loss"]] *= 1e-6
    # Tuning alone, whose losses were altered, is not what is tested.
    wrong = found(reference, fresh | {"tuning": tuning, "races": races}, "tuning", "races")
    assert (wrong["check"] == "tuned otherwise").sum() > 50


@pytest.mark.parametrize("kind", ["final_losses", "switches", "races", "poisson"])
def test_seeds_in_another_order_are_found(tables, kind):
    reference, fresh = ({kind: each[kind]} for each in tables)
    # As if a third run: what is compared with the first reference, the second being known.
    known = paired(reference, fresh)[0]
    table = fresh[kind].sort_values([*KINDS[kind].cell, "seed"], ignore_index=True)
    columns = [name for name in KINDS[kind].rules if name in table]
    moved = table.groupby(list(KINDS[kind].cell), dropna=False)[columns].shift(-1)
    first = table.groupby(list(KINDS[kind].cell), dropna=False)[columns].transform("first")
    turned = table.assign(**moved.fillna(first))
    same = pairings(known, known, ALARM)
    assert max(each["units"].max() for each in same) == 0
    away = pairings(paired(reference, {kind: turned})[0], known, ALARM)
    assert max(each["units"].max() for each in away) > 1


def test_ten_more_infinite_losses_in_a_cell_that_has_some_are_found(tables):
    reference, fresh = tables
    races = fresh["races"].copy()
    infinite = np.isinf(races["loss"])
    share = infinite.groupby([races[name] for name in RACED]).transform("mean")
    cell = races.loc[(share > 0) & (share <= 0.5), RACED].iloc[0]
    more = races.index[(races[RACED] == cell).all(axis=1) & ~infinite][:10]
    races.loc[more, ["loss", "test_loss"]] = np.inf
    wrong = found(reference, fresh | {"races": races}, "races", "tuning")
    assert {"loss", "test_loss"} <= set(wrong["quantity"])
