import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from race_examples import ended, run, timed

from hrta.study.analysis import races
from hrta.study.analysis.intervals import median_interval


def test_rows_are_kept_by_problem_and_width():
    runs = pd.concat([run([1.0], problem=p, width=w) for p in "pq" for w in (5, 50)])
    kept = races.rows_of(["q"])(runs)
    assert kept[["problem", "width"]].to_numpy().tolist() == [["q", 5], ["q", 50]]
    assert races.rows_of(["p", "q"], [5])(runs)["problem"].tolist() == ["p", "q"]
    assert races.rows_of(["p", "q"], methods=["none"])(runs).empty
    assert races.rows_of(["p", "q"], methods=runs["method"])(runs).equals(runs)


def test_categories_without_rows_make_no_times():
    runs = run([1.0, 0.5]).astype({"method": pd.CategoricalDtype(["b", "a"])})
    assert races.times_to_targets(runs, [0.5], "seconds")["method"].tolist() == ["a"]


def test_the_time_to_a_target_is_that_of_the_first_row_at_it():
    runs = pd.concat([run([1.0, 0.1, 0.5, 0.01]), run([1.0, np.nan, np.inf], seed=1)])
    times = races.times_to_targets(runs, [0.1, 0.05, 1e-9], "evaluations")
    of_seed = times.set_index(["seed", "target"])["time"]
    assert of_seed[0].tolist() == [10, 30, np.inf]
    assert of_seed[1].tolist() == [np.inf] * 3
    assert races.times_to_targets(runs, [0.1], "seconds")["time"].tolist() == [2, np.inf]


def test_an_unknown_clock_is_refused():
    with pytest.raises(ValueError, match="clock 'steps' must be one of evaluations, seconds"):
        races.times_to_targets(run([1.0]), [0.1], "steps")


def points(profiles, method):
    return profiles.loc[profiles["method"] == method, ["ratio", "share"]].to_numpy().tolist()


def test_profiles_of_three_methods_on_four_pairs():
    """The last pair is left out: no method gets there."""
    inf = np.inf
    times = [[[1], [2], [inf]], [[4], [2], [8]], [[3], [3], [30]], [[inf], [inf], [inf]]]
    profiles = races.performance_profiles(timed(times))
    assert points(profiles, "a") == pytest.approx(np.array([[1, 2 / 3], [2, 1]]))
    assert points(profiles, "b") == pytest.approx(np.array([[1, 2 / 3], [2, 1]]))
    assert points(profiles, "c") == pytest.approx(np.array([[1, 0], [4, 1 / 3], [10, 2 / 3]]))
    assert set(profiles["pairs"]) == {3}


def test_half_of_the_seeds_must_get_there():
    """Half of them is enough, and the slower of that half tells the time."""
    inf = np.inf
    profiles = races.performance_profiles(
        timed([[[1, 6, inf, inf], [2, 2, 2, 2], [1, inf, inf, inf]]])
    )
    assert points(profiles, "a") == [[1, 0], [3, 1]]
    assert points(profiles, "b") == [[1, 1]]
    assert points(profiles, "c") == [[1, 0]]


def test_where_no_method_gets_there_no_share_is_told():
    both = pd.concat([timed(np.full((2, 2, 3), np.inf), 1e-9), timed(np.ones((2, 2, 3)))])
    profiles = races.performance_profiles(both).set_index(["target", "method"])
    assert profiles.loc[1e-9, "pairs"].tolist() == [0, 0]
    assert profiles.loc[1e-9, "share"].isna().all()
    assert profiles.loc[0.1, "share"].tolist() == [1, 1]


def test_a_start_at_the_target_is_no_division_by_zero():
    profiles = races.performance_profiles(timed([[[0, 0], [0, 0], [1, 1]]]))
    assert [points(profiles, name) for name in "abc"] == [[[1, 1]], [[1, 1]], [[1, 0]]]


def test_methods_keep_their_order_in_profiles():
    order = pd.CategoricalDtype(["c", "b", "a"])
    profiles = races.performance_profiles(timed(np.ones((1, 3, 1))).astype({"method": order}))
    assert profiles["method"].tolist() == ["c", "b", "a"]
    assert profiles["method"].dtype == order


# Of three methods from three seeds each, on up to eight pairs; some never get there.
TIMES = st.integers(1, 8).flatmap(
    lambda pairs: arrays(
        float,
        (pairs, 3, 3),
        elements=st.one_of(st.just(np.inf), st.integers(1, 1000).map(float)),
    )
)


@settings(deadline=None)
@given(TIMES)
def test_profiles_are_distribution_functions(times):
    profiles = races.performance_profiles(timed(times))
    middle = np.sort(times, axis=-1)[..., 1]  # of three seeds, [pairs, methods]
    solved = np.isfinite(middle).any(axis=1)
    assert set(profiles["pairs"]) == {solved.sum()}
    if not solved.any():
        assert profiles["share"].isna().all()
        return
    for i, name in enumerate("abc"):
        ratio, share = np.transpose(points(profiles, name))
        assert ratio[0] == 1
        assert (np.diff(ratio) > 0).all()
        assert (np.diff(share) > 0).all()
        assert share[-1] == np.isfinite(middle[solved, i]).mean()
        for alpha, rho in zip(ratio, share, strict=True):
            within = middle[solved, i] <= alpha * middle[solved].min(axis=1) * (1 + 1e-12)
            assert rho == within.mean()
    at_one = profiles[profiles["ratio"] == 1]
    assert at_one["share"].sum() >= 1 - 1e-12  # on each pair someone is the fastest


@settings(deadline=None)
@given(TIMES, st.sampled_from([0.25, 8.0, 1024.0]))
def test_profiles_do_not_depend_on_the_unit_of_time(times, factor):
    profiles, scaled = (races.performance_profiles(timed(np.array(times) * f)) for f in (1, factor))
    pd.testing.assert_frame_equal(profiles, scaled)


def test_gains_are_medians_of_paired_ratios():
    random = np.random.default_rng(2)
    losses = 10 ** random.uniform(-4, 0, (3, 3, 7))
    table = races.gains(ended(losses).sample(frac=1, random_state=1), {"b": "a", "a": "c"})
    assert table[["problem", "width"]].drop_duplicates().to_numpy().tolist() == [
        ["p", 5],
        ["p", 50],
        ["q", 5],
    ]
    assert set(table["seeds"]) == {7}
    keyed = table.set_index(["method", "baseline", "problem", "width"])
    ratios = keyed[["ratio", "ratio_low", "ratio_high"]]
    for pair, (problem, width) in enumerate([("p", 5), ("p", 50), ("q", 5)]):
        for key, (i, j) in {("b", "a"): (1, 0), ("a", "c"): (0, 2)}.items():
            expected = 10.0 ** np.array(
                median_interval(np.log10(losses[pair, i] / losses[pair, j]))
            )
            np.testing.assert_allclose(ratios.loc[(*key, problem, width)], expected)


def test_pairs_in_which_both_diverged_count_as_equal():
    table = races.gains(ended([[[np.inf, np.inf, 1.0], [np.inf, np.inf, 5.0]]]), {"b": "a"})
    assert table["ratio"].tolist() == [1]
    table = races.gains(ended([[[1.0, 1.0, 1.0], [np.inf, np.inf, 0.5]]]), {"b": "a"})
    assert table["ratio"].tolist() == [np.inf]


def test_gains_need_both_runs_of_a_pair():
    final = ended(np.ones((2, 2, 3)))
    with pytest.raises(ValueError, match="a run has no partner of the baseline 'a'"):
        races.gains(final.drop(index=0), {"b": "a"})
    with pytest.raises(ValueError, match="gains: no runs of c"):
        races.gains(final, {"b": "a", "c": "a"})
    # The baseline may have been run where the method was not.
    lacking = final[(final["method"] == "a") | (final["width"] == 5)]
    assert races.gains(lacking, {"b": "a"})["width"].tolist() == [5]


def tuned(rows, **columns):
    names = ["candidate", "learning_rate", "momentum", "seed", "loss"]
    fixed = {"problem": "p", "width": 5, "method": "a"} | columns
    return pd.DataFrame(rows, columns=names).assign(**fixed)


def test_sensitivity_takes_the_best_of_the_other_parameters():
    rows = [
        *((0, 0.1, 0.8, seed, loss) for seed, loss in enumerate([3.0, 1, 2])),
        *((1, 0.1, 0.9, seed, loss) for seed, loss in enumerate([0.5, 9, 9])),
        *((2, 0.01, 0.9, seed, loss) for seed, loss in enumerate([5.0, 4, np.nan])),
    ]
    without = tuned([(0, np.nan, np.nan, 0, 1.0)], method="b")
    table = races.sensitivity(pd.concat([tuned(rows), without], ignore_index=True))
    columns = ["problem", "width", "method", "learning_rate", "loss", "low", "high"]
    assert list(table.columns) == columns
    assert table.to_numpy().tolist() == [
        ["p", 5, "a", 0.01, 5, 4, np.inf],
        ["p", 5, "a", 0.1, 2, 1, 3],
    ]


def test_a_learning_rate_at_which_all_diverged_stays_in_the_table():
    table = races.sensitivity(tuned([(0, 1.0, np.nan, 0, np.inf), (1, 1.0, np.nan, 0, np.inf)]))
    assert table["loss"].tolist() == [np.inf]


def test_without_learning_rates_there_is_nothing_to_show():
    table = races.sensitivity(tuned([(0, np.nan, np.nan, 0, 1.0)]))
    assert len(table) == 0
    assert "learning_rate" in table


def test_one_method_against_all_others():
    losses = 10 ** np.random.default_rng(3).uniform(-4, 0, (2, 3, 5))
    table = races.gains_over_all(ended(losses), "b")
    assert set(zip(table["method"], table["baseline"], strict=True)) == {("b", "a"), ("b", "c")}
    other_way = races.gains(ended(losses), {"a": "b"})
    ratio = table[table["baseline"] == "a"]["ratio"].to_numpy()
    np.testing.assert_allclose(ratio, 1 / other_way["ratio"], rtol=1e-12)


def test_finals_are_medians_in_order():
    losses = [[[3.0, 1.0, 2.0], [0.5, 0.5, 0.5], [np.inf, np.inf, 1.0]]]
    table = races.medians(ended(losses, seconds=np.ones((1, 3, 3))).assign(evaluations=7.0))
    assert table["method"].tolist() == ["b", "a", "c"]
    assert table["loss"].tolist() == [0.5, 2.0, np.inf]
    assert table["diverged"].tolist() == [0, 0, 2]
    assert (table["evaluations"] == 7).all()
    first = table.iloc[1]
    assert (first["loss_low"], first["loss_high"]) == median_interval([3.0, 1.0, 2.0])[1:]


def test_what_was_chosen_and_whether_it_is_at_the_edge():
    rows = [
        {"method": method, "learning_rate": rate, "ridge": ridge, "chosen": chosen}
        for method, rate, ridge, chosen in [
            ("a", 0.1, np.nan, False),
            ("a", 1.0, np.nan, True),
            ("b", np.nan, 1e-3, True),
            ("b", np.nan, 1.0, False),
            ("c", 0.1, np.nan, False),
            ("c", 0.2, np.nan, True),
            ("c", 0.4, np.nan, False),
        ]
    ]
    tuning = pd.DataFrame(rows).assign(
        problem="p", width=5, momentum=np.nan, history_size=np.nan, recovery=np.nan
    )
    table = races.chosen(tuning).set_index("method")
    assert table["edge"].to_dict() == {"a": 1, "b": -1, "c": 0}
    assert table.loc["a", "learning_rate"] == 1
    assert table.loc["b", "ridge"] == 1e-3


def test_an_earlier_stage_reaches_no_target():
    runs = run([1.0, 0.05, 2.0, 0.05]).assign(answer=[False, False, True, True])
    assert races.times_to_targets(runs, [0.1], "evaluations")["time"].tolist() == [30.0]
    early = run([1.0, 0.05, 2.0]).assign(answer=[False, False, True])
    assert races.times_to_targets(early, [0.1], "evaluations")["time"].tolist() == [np.inf]
