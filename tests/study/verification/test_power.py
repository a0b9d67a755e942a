"""The smallest differences that are found, of quantities made by hand."""

import numpy as np
import pandas as pd
import pytest

from hrta.study.analysis.agreement import Close, Same
from hrta.study.analysis.draws import Drawn
from hrta.study.verification.comparison import Quantity
from hrta.study.verification.power import PART, smallest

LEVEL = 1e-6


def quantity(rule, scatter=0.0, cells=5, seeds=50):
    random = np.random.default_rng(0)
    count = cells * seeds
    reference = 10 ** random.normal(-3, 0.3, count)
    fresh = reference * 10 ** random.normal(0, scatter, count)
    columns = {"cell": np.repeat(range(cells), seeds), "seed": np.tile(range(seeds), cells)}
    pairs = pd.DataFrame(columns | {"reference": reference, "fresh": fresh})
    return Quantity("kind", "loss", rule, ("cell",), pairs)


def test_rules_without_chance_say_what_they_allow():
    assert smallest(quantity(Same()), LEVEL) == ["any"] * 4
    assert smallest(quantity(Close(1e-6, ("cell",))), LEVEL) == ["1e-06 of the largest"] * 4


def test_without_chance_a_cell_is_found_from_the_floor_on():
    half, part, cell, table = smallest(quantity(Drawn()), LEVEL)
    assert (cell, table) == ("0.23 %", "0.23 %")
    # A single one is bounded by the spread: 5.5 times sqrt(2) 0.3 decades, and a quarter more.
    assert 100 < float(half.removeprefix("× ")) <= float(part.removeprefix("× ")) < 1e4


@pytest.mark.parametrize("scatter", [0.03, 0.1])
def test_what_is_found_in_a_cell_grows_with_chance(scatter):
    percent = float(smallest(quantity(Drawn(), scatter), LEVEL)[2].removesuffix(" %"))
    # The bound and 1.64 standard errors, for the mean of fifty.
    error = scatter / np.sqrt(50)
    expected = 100 * (10 ** (0.001 + (5.4 + 1.64) * error) - 1)
    assert percent == pytest.approx(expected, rel=0.5)
    assert 0 < PART < 1


def test_quantities_without_single_runs_have_none():
    assert smallest(quantity(Drawn("absolute", runs=False)), LEVEL)[:2] == ["", ""]
