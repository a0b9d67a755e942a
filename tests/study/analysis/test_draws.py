import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair_examples import CELL, LEVEL, drawn, pairs, worst

from hrta.study.analysis.agreement import Close, Same
from hrta.study.analysis.draws import RUN_FLOOR, Drawn

finite = st.floats(-30, 5)


@given(st.lists(finite, min_size=1, max_size=30))
def test_a_run_agrees_with_itself(logarithms):
    losses = 10.0 ** np.array(logarithms)
    assert worst(Drawn(), losses, losses) == 0


@pytest.mark.parametrize("spread", [0.01, 0.3, 2])
@pytest.mark.parametrize("seeds", [3, 5, 20, 100])
def test_independent_draws_of_one_distribution_agree(seeds, spread):
    random = np.random.default_rng(seeds)
    logarithms = random.normal(-3, spread, (20 * seeds, 2))
    table = pairs(*10**logarithms.T, cell=np.repeat(range(20), seeds))
    assert Drawn().deviations(table, LEVEL, CELL)["units"].max() < 1


def test_a_pool_lends_its_spread_to_cells_of_few_seeds():
    reference = drawn(30)
    altered = reference * np.where(np.arange(30) == 7, 1e6, 1)
    table = pairs(reference, altered, cell=np.repeat(range(10), 3)).assign(all=0)
    own = Drawn().deviations(table, LEVEL, CELL)
    assert own.loc[own["check"] == "run", "units"].max() < 1
    together = Drawn(pool=("all",)).deviations(table, LEVEL, CELL)
    far = together[(together["check"] == "run") & (together["units"] > 1)]
    assert far["seed"].tolist() == [7]


@settings(max_examples=20)
@given(st.integers(10, 100), st.floats(0.03, 1))
def test_all_runs_a_little_off_are_found_by_their_median(seeds, shift):
    reference = drawn(seeds)
    assert worst(Drawn(), reference, reference * 10**shift, "median") > 1
    assert worst(Drawn(), reference, reference / 10**shift, "median") > 1
    assert worst(Drawn(), reference, reference * 1.002) < 1


@pytest.mark.parametrize("scatter", [0.0, 0.03, 0.05])
def test_two_per_cent_in_all_runs_of_a_table_are_found(scatter):
    """Forty cells of fifty seeds, whose scatter hides 2 % in each of them."""
    random = np.random.default_rng(0)
    reference = 10 ** random.normal(-3, 0.3, 2000)
    fresh = reference * 10 ** random.normal(0, scatter, 2000)
    table = pairs(reference, fresh, np.repeat(range(40), 50)).assign(all=0)
    rule = Drawn(near=("all",))
    assert rule.deviations(table, LEVEL, CELL)["units"].max() < 1
    away = rule.deviations(table.assign(fresh=1.02 * table["fresh"]), LEVEL, CELL)
    assert away.loc[away["cell"].isna() & (away["check"] == "mean"), "units"].min() > 1


def test_a_mean_that_fewer_than_half_of_the_seeds_move_is_found():
    reference = drawn(100)
    fresh = reference * np.where(np.arange(100) < 45, 2.3, 1)
    assert worst(Drawn(), reference, fresh, "median") < 1
    assert worst(Drawn(), reference, fresh, "run") < 1
    assert worst(Drawn(), reference, fresh, "mean") > 1


def test_a_fresh_run_widens_its_own_tolerance_only_so_far():
    """Most runs of a cell are off, and one of them so far that the scatter covers all of them."""
    reference = drawn(20, 0.05)
    fresh = reference * 10 ** (0.6 + np.random.default_rng(1).normal(0, 3, 20))
    for check in ("median", "mean", "run"):
        assert worst(Drawn(), reference, fresh, check) > 1


@given(st.integers(12, 100), st.data())
def test_any_single_run_far_off_is_found(seeds, data):
    reference = drawn(seeds)
    altered = reference.copy()
    altered[data.draw(st.integers(0, seeds - 1))] *= 10 ** data.draw(st.sampled_from([-6, 6]))
    assert worst(Drawn(), reference, altered, "run") > 1
    assert worst(Drawn(), altered, reference, "run") > 1


def test_where_all_seeds_end_alike_a_run_may_differ_by_the_floor_alone():
    reference = np.full(5, 1e-3)
    altered = reference * [1, 10**RUN_FLOOR, 1, 1, 1]
    assert worst(Drawn(), reference, altered, "run") == pytest.approx(1)


def test_one_run_that_diverges_alone_is_found():
    reference = drawn(20)
    fresh = np.where(np.arange(20) == 3, np.inf, reference)
    assert worst(Drawn(), reference, fresh, "run") == np.inf
    assert worst(Drawn(), fresh, reference, "run") == np.inf


def test_where_runs_diverge_now_and_then_another_one_may():
    reference, fresh = drawn(40), drawn(40)
    reference[[1, 2, 3]] = np.inf
    fresh[[3, 4]] = np.inf
    assert worst(Drawn(), reference, fresh) < 1
    fresh[5:35] = np.inf
    assert worst(Drawn(), reference, fresh, "diverged") > 1


def only_in_one(runs, seeds=20, others=0):
    """A cell where so many runs are infinite in only one, and others at the same rate in both."""
    reference, fresh = drawn(seeds), drawn(seeds, seed=1)
    fresh[:runs] = np.inf
    reference[seeds - others :] = fresh[seeds - others :] = np.inf
    return reference, fresh


@pytest.mark.parametrize(("runs", "seeds"), [(2, 20), (20, 20), (3, 3), (2, 3), (10, 10)])
def test_several_runs_that_diverge_where_the_other_has_none_are_found(runs, seeds):
    reference, fresh = only_in_one(runs, seeds)
    # Whatever happens near by.
    table = pd.concat([pairs(reference, fresh), pairs(*only_in_one(0, others=3), cell=1)])
    table = table.reset_index(drop=True).assign(all=0)
    for one in (table, table.rename(columns={"reference": "fresh", "fresh": "reference"})):
        away = Drawn(pool=("all",)).deviations(one, LEVEL, CELL)
        assert (away["units"] == np.inf).sum() == runs


def test_a_single_run_may_diverge_where_others_do_near_by():
    alone = pairs(*only_in_one(1))
    table = pd.concat([alone, pairs(*only_in_one(0, others=1), cell=1)], ignore_index=True)
    rule = Drawn(near=("all",))
    assert rule.deviations(table.assign(all=0), LEVEL, CELL)["units"].max() < 1
    assert rule.deviations(table.assign(all=table["cell"]), LEVEL, CELL)["units"].max() == np.inf


@pytest.mark.parametrize(("runs", "agree"), [(3, True), (9, True), (10, False), (17, False)])
def test_the_sign_test_finds_cells_that_diverge_more_often(runs, agree):
    away = worst(Drawn(), *only_in_one(runs, others=2), "diverged")
    assert (away < 1) == agree


@pytest.mark.parametrize("resolution", [None, 1e-8])
def test_zeros_in_only_one_are_found(resolution):
    """Where the reference has none near by, a 0 is no rounding."""
    rule = Drawn(resolution=resolution)
    for zeros in (1, 2, 20):
        for reference in (drawn(20), drawn(20) * 1e-9):
            fresh = np.where(np.arange(20) < zeros, 0.0, reference)
            assert worst(rule, reference, fresh, "run") == np.inf
    assert worst(rule, np.zeros(20), np.zeros(20)) == 0


RESOLUTION = 4e-6


@pytest.mark.parametrize(
    ("reference", "fresh", "agree"),
    [
        # 0 stands for any number up to the resolution, in both directions.
        ([3e-6, 8e-7, 1e-7] + [0] * 17, [0] * 20, True),
        ([0] * 20, [3e-6, 8e-7, 1e-7] + [0] * 17, True),
        # A number above the resolution is none.
        ([1e-4, 8e-7, 1e-7] + [0] * 17, [0] * 20, False),
        # Ten or more at once, all in one of the two, are no chance.
        ([0] * 20, [3e-6] * 9 + [0] * 11, True),
        ([0] * 20, [3e-6] * 10 + [0] * 10, False),
        ([3e-6] * 10 + [0] * 10, [0] * 20, False),
        # Other numbers below it are compared with one another.
        ([0.0] + [1e-6] * 19, [0.0] + [3e-6] * 19, False),
        ([0.0] + [1e-6] * 19, [0.0] + [-1e-6] * 19, False),
        ([0.0] + [1e-6] * 19, [np.nan] + [1e-6] * 19, False),
    ],
)
def test_a_loss_of_0_stands_for_what_rounding_makes_0(reference, fresh, agree):
    assert (worst(Drawn(resolution=RESOLUTION), reference, fresh) < 1) == agree


def test_the_resolution_holds_near_zeros_of_the_reference_alone():
    table = pd.concat([pairs([0.0] * 5, [0.0] * 5), pairs([1e-7] * 5, [0.0] * 5, cell=1)])
    table = table.reset_index(drop=True).assign(all=0)
    near = Drawn(near=("all",), resolution=RESOLUTION)
    assert near.deviations(table, LEVEL, CELL)["units"].max() < 1
    assert Drawn(resolution=RESOLUTION).deviations(table, LEVEL, CELL)["units"].max() == np.inf


def test_losses_below_the_floor_are_equal():
    rule = Drawn(floor=1e-14)
    reference = drawn(20, 0.05) * 1e-12
    assert worst(Drawn(), reference, 0.6 * reference) > 1
    assert worst(rule, reference, 0.6 * reference) == 0
    # A loss above the floor differs from it; 0, negative and missing numbers remain what they are.
    for other in (10e-14, 0.0, -1e-15, np.nan, np.inf):
        fresh = np.where(np.arange(20) == 3, other, reference)
        assert worst(rule, reference, fresh, "run") > 1
        assert worst(rule, fresh, reference, "run") > 1
    assert worst(rule, reference, 20 * reference) > 1


@pytest.mark.parametrize("seeds", [3, 5])
def test_few_runs_that_are_all_off_are_found(seeds):
    random = np.random.default_rng(seeds)
    reference = drawn(8 * seeds)
    # Cells of the pool lie decades apart.
    cell = np.repeat(range(8), seeds)
    reference *= 10.0**-cell
    scatter = 1 + 0.02 * random.normal(size=8 * seeds)
    fresh = reference * scatter * np.where(cell == 3, 10, 1)
    table = pairs(reference, fresh, cell).assign(all=0)
    away = Drawn(pool=("all",)).deviations(table, LEVEL, CELL)
    assert away.loc[away["units"] > 1, ["check", "cell"]].values.tolist() == [["median", 3]]


def draws(shape, kind, random):
    """Logarithms of losses of one distribution."""
    if kind == "normal":
        return random.normal(-3, 0.3, shape)
    if kind == "decades":
        return random.uniform(-9, -2, shape)
    # Half of the runs end on a plateau.
    return np.where(random.uniform(size=shape) < 0.5, -1, random.normal(-5, 0.2, shape))


@pytest.mark.parametrize("kind", ["normal", "decades", "plateau"])
@pytest.mark.parametrize(("seeds", "pooled"), [(3, 12), (5, 4), (10, 3), (20, 1), (100, 1)])
def test_draws_anew_agree(seeds, pooled, kind):
    """Cells of a pool with spreads of their own, a few thousand runs in all."""
    random = np.random.default_rng([seeds, len(kind)])
    cells = pooled * max(1, 3000 // (seeds * pooled))
    widths = np.repeat(10 ** random.normal(0, 0.3, cells), seeds)[:, None]
    losses = 10 ** (widths * draws((cells * seeds, 2), kind, random))
    cell = np.repeat(range(cells), seeds)
    table = pairs(*losses.T, cell).assign(all=cell // pooled)
    rule = Drawn(pool=("all",))
    # At the level of a full replication.
    assert rule.deviations(table, 6e-8, CELL)["units"].max() < 1


def test_what_is_negative_in_only_one_is_found():
    reference = drawn(20)
    fresh = np.where(np.arange(20) == 4, -reference, reference)
    assert worst(Drawn(), reference, fresh, "run") == np.inf
    assert worst(Drawn(), -reference, -fresh, "run") == np.inf
    assert worst(Drawn(), fresh, fresh) == 0
    assert worst(Drawn(), fresh, 2 * fresh, "run") == np.inf


def test_a_missing_number_is_no_divergence():
    reference = np.array([1.0, np.inf, 2.0])
    assert worst(Drawn(), reference, [np.nan, np.inf, 2.0]) == np.inf
    assert worst(Drawn(), reference, [1.0, np.nan, 2.0]) == np.inf


def test_scales():
    shares = np.tile([0.1, 0.2, 0.15, 0.12], 3)
    assert worst(Drawn("absolute"), shares, shares + 0.002, "median") == pytest.approx(2)
    signed = np.tile([-1.0, 1.0, 1.2, -0.9], 3)
    # A thousandth of a decade is 0.23 %, here of the median size 1.
    away = worst(Drawn("relative"), signed, signed + 0.002 * np.log(10), "median")
    assert away == pytest.approx(2, rel=0.06)
    assert worst(Drawn(), np.full(4, 0.01), np.full(4, -0.01)) == np.inf


def test_cells_are_distinguished_and_counted():
    reference = np.concatenate([drawn(10), drawn(10, seed=1)])
    fresh = reference * np.repeat([1.0, 2.0], 10)
    table = pairs(reference, fresh, np.repeat([0, 1], 10))
    rule = Drawn()
    # Runs; a median and a mean of each cell; the means of the cells near one another, and of all.
    assert rule.tests(table, CELL) == 20 + 2 * 2 + 2 + 1
    assert Same().tests(table, CELL) == Close(1, CELL).tests(table, CELL) == 0
    away = rule.deviations(table, LEVEL, CELL)
    medians = away[away["check"] == "median"].set_index("cell")
    assert (medians["units"] > 1).tolist() == [False, True]
    assert medians.loc[1, "fresh"] == pytest.approx(2 * medians.loc[1, "reference"])
    assert medians["seed"].isna().all()
