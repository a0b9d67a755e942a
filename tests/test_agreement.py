import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrta.agreement import RUN_FLOOR, Close, Drawn, Same

LEVEL = 1e-5
finite = st.floats(-30, 5)


def pairs(reference, fresh, cell=0):
    columns = {"cell": cell, "seed": range(len(reference)), "reference": reference, "fresh": fresh}
    return pd.DataFrame(columns)


def worst(rule, reference, fresh, check=None):
    away = rule.deviations(pairs(reference, fresh), LEVEL)
    return away.loc[away["check"].eq(check) if check else slice(None), "units"].max()


def drawn(seeds, spread=0.3, seed=0):
    return 10 ** np.random.default_rng(seed).normal(-3, spread, seeds)


def test_the_same_is_the_same_and_nothing_else_is():
    away = Same().deviations(pairs([1.0, np.nan, 1.0, np.nan], [1.0, np.nan, 1.0001, 1.0]), LEVEL)
    assert away["units"].tolist() == [0, 0, np.inf, np.inf]


def test_rounding_is_measured_by_the_largest_of_the_cell():
    rule = Close(1e-9, ("cell",))
    reference = pairs([1.0, 100.0, -5.0], [1.0 + 5e-8, 100.0, -5.0 + 2e-7])
    assert rule.deviations(reference, LEVEL)["units"].tolist() == pytest.approx([0.5, 0, 2], 1e-3)
    apart = rule.deviations(pairs([1.0, 100.0], [1.0 + 5e-8, 100.0], cell=[0, 1]), LEVEL)
    assert apart["units"].tolist() == pytest.approx([50, 0], 1e-3)


@pytest.mark.parametrize(
    ("reference", "fresh"),
    [(0.0, 1e-300), (1.0, np.nan), (np.nan, 1.0), (1.0, np.inf), (np.inf, 1.0), (np.inf, -np.inf)],
)
def test_what_cannot_be_rounding_is_infinitely_far(reference, fresh):
    assert worst(Close(1e-3, ("cell",)), [reference], [fresh]) == np.inf


@pytest.mark.parametrize("value", [0.0, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("rule", [Same(), Close(1e-3, ("cell",)), Drawn(("cell",))])
def test_odd_values_agree_with_themselves(rule, value):
    assert worst(rule, [value, 1.0], [value, 1.0]) == 0


@given(st.lists(finite, min_size=1, max_size=30))
def test_a_run_agrees_with_itself(logarithms):
    losses = 10.0 ** np.array(logarithms)
    assert worst(Drawn(("cell",)), losses, losses) == 0


@pytest.mark.parametrize("spread", [0.01, 0.3, 2])
@pytest.mark.parametrize("seeds", [3, 5, 20, 100])
def test_independent_draws_of_one_distribution_agree(seeds, spread):
    random = np.random.default_rng(seeds)
    logarithms = random.normal(-3, spread, (20 * seeds, 2))
    table = pairs(*10**logarithms.T, cell=np.repeat(range(20), seeds))
    assert Drawn(("cell",)).deviations(table, LEVEL)["units"].max() < 1


def test_a_pool_lends_its_spread_to_cells_of_few_seeds():
    reference = drawn(30)
    altered = reference * np.where(np.arange(30) == 7, 1e6, 1)
    table = pairs(reference, altered, cell=np.repeat(range(10), 3)).assign(all=0)
    own = Drawn(("cell",)).deviations(table, LEVEL)
    assert own.loc[own["check"] == "run", "units"].max() < 1
    together = Drawn(("cell",), pool=("all",)).deviations(table, LEVEL)
    far = together[(together["check"] == "run") & (together["units"] > 1)]
    assert far["seed"].tolist() == [7]


@given(st.integers(2, 100), st.floats(0.03, 1))
def test_all_runs_a_little_off_are_found_by_their_median(seeds, shift):
    reference = drawn(seeds)
    assert worst(Drawn(("cell",)), reference, reference * 10**shift, "median") > 1
    assert worst(Drawn(("cell",)), reference, reference / 10**shift, "median") > 1
    assert worst(Drawn(("cell",)), reference, reference * 1.02) < 1


@given(st.integers(12, 100), st.data())
def test_any_single_run_far_off_is_found(seeds, data):
    reference = drawn(seeds)
    altered = reference.copy()
    altered[data.draw(st.integers(0, seeds - 1))] *= 10 ** data.draw(st.sampled_from([-6, 6]))
    assert worst(Drawn(("cell",)), reference, altered, "run") > 1
    assert worst(Drawn(("cell",)), altered, reference, "run") > 1


def test_where_all_seeds_end_alike_a_run_may_differ_by_the_floor_alone():
    reference = np.full(5, 1e-3)
    altered = reference * [1, 10**RUN_FLOOR, 1, 1, 1]
    assert worst(Drawn(("cell",)), reference, altered, "run") == pytest.approx(1)


def test_one_run_that_diverges_alone_is_found():
    reference = drawn(20)
    fresh = np.where(np.arange(20) == 3, np.inf, reference)
    assert worst(Drawn(("cell",)), reference, fresh, "run") == np.inf
    assert worst(Drawn(("cell",)), fresh, reference, "run") == np.inf


def test_where_runs_diverge_now_and_then_another_one_may():
    reference, fresh = drawn(40), drawn(40)
    reference[[1, 2, 3]] = np.inf
    fresh[[3, 4]] = np.inf
    assert worst(Drawn(("cell",)), reference, fresh) < 1
    fresh[5:35] = np.inf
    assert worst(Drawn(("cell",)), reference, fresh, "diverged") > 1


def test_a_missing_number_is_no_divergence():
    reference = np.array([1.0, np.inf, 2.0])
    assert worst(Drawn(("cell",)), reference, [np.nan, np.inf, 2.0]) == np.inf
    assert worst(Drawn(("cell",)), reference, [1.0, np.nan, 2.0]) == np.inf


def test_scales():
    shares = np.array([0.1, 0.2, 0.15, 0.12])
    assert worst(Drawn(("cell",), "absolute"), shares, shares + 0.02, "median") == pytest.approx(2)
    signed = np.array([-1.0, 1.0, 1.2, -0.9])
    # A hundredth of a decade is 2.3 %, here of the median size 1.
    away = worst(Drawn(("cell",), "relative"), signed, signed + 0.02 * np.log(10), "median")
    assert away == pytest.approx(2, rel=0.06)
    assert worst(Drawn(("cell",)), np.full(4, 0.01), np.full(4, -0.01)) == np.inf


def test_cells_are_told_apart_and_counted():
    reference = np.concatenate([drawn(10), drawn(10, seed=1)])
    fresh = reference * np.repeat([1.0, 2.0], 10)
    table = pairs(reference, fresh, np.repeat([0, 1], 10))
    rule = Drawn(("cell",))
    assert rule.tests(table) == 24
    assert Same().tests(table) == Close(1, ("cell",)).tests(table) == 0
    away = rule.deviations(table, LEVEL)
    medians = away[away["check"] == "median"].set_index("cell")
    assert (medians["units"] > 1).tolist() == [False, True]
    assert medians.loc[1, "fresh"] == pytest.approx(2 * medians.loc[1, "reference"])
    assert medians["seed"].isna().all()
