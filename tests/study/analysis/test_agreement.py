import numpy as np
import pytest
from pair_examples import CELL, LEVEL, pairs, worst

from hrta.study.analysis.agreement import Close, Same
from hrta.study.analysis.draws import Drawn


def test_the_same_is_the_same_and_nothing_else_is():
    away = Same().deviations(
        pairs([1.0, np.nan, 1.0, np.nan], [1.0, np.nan, 1.0001, 1.0]), LEVEL, CELL
    )
    assert away["units"].tolist() == [0, 0, np.inf, np.inf]


def test_rounding_is_measured_by_the_largest_of_the_cell():
    rule = Close(1e-9, CELL)
    reference = pairs([1.0, 100.0, -5.0], [1.0 + 5e-8, 100.0, -5.0 + 2e-7])
    assert rule.deviations(reference, LEVEL, CELL)["units"].tolist() == pytest.approx(
        [0.5, 0, 2], 1e-3
    )
    apart = rule.deviations(pairs([1.0, 100.0], [1.0 + 5e-8, 100.0], cell=[0, 1]), LEVEL, CELL)
    assert apart["units"].tolist() == pytest.approx([50, 0], 1e-3)


@pytest.mark.parametrize(
    ("reference", "fresh"),
    [(0.0, 1e-300), (1.0, np.nan), (np.nan, 1.0), (1.0, np.inf), (np.inf, 1.0), (np.inf, -np.inf)],
)
def test_what_cannot_be_rounding_is_infinitely_far(reference, fresh):
    assert worst(Close(1e-3, CELL), [reference], [fresh]) == np.inf


@pytest.mark.parametrize("value", [0.0, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("rule", [Same(), Close(1e-3, CELL), Drawn()])
def test_odd_values_agree_with_themselves(rule, value):
    assert worst(rule, [value, 1.0], [value, 1.0]) == 0
