import gc

import numpy as np
import pandas as pd
import pytest
from claim_examples import holm_by_hand
from hypothesis import given
from hypothesis import strategies as st

from hrta.study.analysis.comparison import paired_ratio, sign_test
from hrta.study.claims import verdicts
from hrta.study.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, REPRODUCED


@pytest.fixture(scope="module", autouse=True)
def short_collections():
    """statsmodels collects garbage in each correction, slowly where other tests have left much."""
    gc.freeze()
    yield
    gc.unfreeze()


def judged(*samples, rule="paired"):
    """The cells of these samples of log ratios, with verdicts."""
    rows = [verdicts.RULES[rule](np.array(sample, dtype=float)) for sample in samples]
    return verdicts.judge(pd.DataFrame(rows, columns=["ratio", "low", "high", "p"]))


TEN = np.linspace(0.1, 1, 10)


@pytest.mark.parametrize(
    ("log_ratios", "verdict"),
    [
        (-TEN, REPRODUCED),
        (TEN, CONTRADICTED),
        (TEN - 0.55, INCONCLUSIVE),
        (np.zeros(10), INCONCLUSIVE),
        ([-1.0], INCONCLUSIVE),
        ([-1.0] * 5, INCONCLUSIVE),
        ([-1.0] * 6, REPRODUCED),
        ([np.inf] * 6, CONTRADICTED),
        ([-np.inf] * 6, REPRODUCED),
        ([-1.0] * 6 + [np.inf] * 6, INCONCLUSIVE),
        ([-1.0] * 6 + [0.0] * 3, INCONCLUSIVE),  # the interval reaches the tie
    ],
)
def test_verdicts_of_known_pairs(log_ratios, verdict):
    assert judged(log_ratios)["verdict"].tolist() == [verdict]


@pytest.mark.parametrize(
    ("log_ratios", "verdict"),
    [
        ([-1.0], REPRODUCED),
        ([1.0, 2.0], CONTRADICTED),
        ([-1.0, 1.0], INCONCLUSIVE),
        ([0.0], INCONCLUSIVE),
        ([np.inf], CONTRADICTED),
    ],
)
def test_what_is_exact_must_hold_each_time(log_ratios, verdict):
    cells = judged(log_ratios, rule="every")
    assert cells["verdict"].tolist() == [verdict]
    assert cells[["p", "p_holm"]].isna().all(axis=None)
    assert cells.loc[0, ["low", "high"]].tolist() == [
        10.0 ** min(log_ratios),
        10.0 ** max(log_ratios),
    ]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_agrees_with_a_loop(p):
    cells = pd.DataFrame({"ratio": 1.0, "low": 0.5, "high": 0.9, "p": p})
    assert verdicts.judge(cells)["p_holm"].tolist() == pytest.approx(holm_by_hand(p))


def test_many_undecided_cells_take_a_verdict_away():
    """One cell of 7 pairs is decided by itself, p = 1/64, and not among four."""
    clear, unclear = [-1.0] * 7, [-1.0, 1.0] * 4
    assert judged(clear)["verdict"].tolist() == [REPRODUCED]
    assert judged(clear, unclear, unclear, unclear)["verdict"].tolist() == [INCONCLUSIVE] * 4


def test_holm_leaves_what_is_exact_out():
    exact = pd.DataFrame([verdicts.every(np.array([-1.0]))] * 20)
    tested = pd.DataFrame([paired_ratio(np.array([-1.0] * 7))])
    both = verdicts.judge(pd.concat([exact, tested], ignore_index=True))
    assert set(both["verdict"]) == {REPRODUCED}
    assert both["p_holm"].iloc[-1] == both["p"].iloc[-1] == 1 / 64


def test_the_fewest_pairs_are_those_that_can_be_decided():
    few = verdicts.FEWEST_PAIRS
    assert sign_test(-np.ones(few)) <= verdicts.LEVEL
    assert sign_test(-np.ones(few - 1)) > verdicts.LEVEL


def test_false_verdicts_are_as_rare_as_holm_says():
    """200 claims of 5 cells of 20 pairs whose median is 0: at most 5 % have a decided cell."""
    random = np.random.default_rng(1)
    decided = 0
    for _ in range(200):
        p = [sign_test(random.standard_t(2, size=20)) for _ in range(5)]
        decided += min(holm_by_hand(p)) <= verdicts.LEVEL
    # 5 % of 200 are 10, with a binomial error of 3.
    assert decided <= 19


@pytest.mark.parametrize(
    ("cells", "verdict"),
    [
        ([REPRODUCED] * 3, REPRODUCED),
        ([CONTRADICTED] * 2, CONTRADICTED),
        ([INCONCLUSIVE], INCONCLUSIVE),
        ([REPRODUCED, INCONCLUSIVE], MIXED),
        ([REPRODUCED, CONTRADICTED], MIXED),
        ([CONTRADICTED, INCONCLUSIVE], MIXED),
    ],
)
def test_of_many_cells(cells, verdict):
    assert verdicts.overall(cells) == verdict


def test_of_alternatives_one_is_enough():
    assert verdicts.any_of([CONTRADICTED, REPRODUCED]) == REPRODUCED
    assert verdicts.any_of([CONTRADICTED, CONTRADICTED]) == CONTRADICTED
    assert verdicts.any_of([CONTRADICTED, INCONCLUSIVE]) == MIXED
