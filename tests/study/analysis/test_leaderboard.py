import numpy as np
import pandas as pd
import pytest
from race_examples import ended, timed
from scipy.stats import rankdata

from hrta.study.analysis.leaderboard import leaderboard, leaderboards


def board(final, times=None, **options):
    times = timed(np.ones((2, 2, 2))).iloc[:0] if times is None else times
    return leaderboard(final, times, **options).set_index("method")


def test_leaderboard_of_a_clear_race():
    losses = [[[1e-3] * 3, [2e-3] * 3, [8e-3] * 3], [[4e-2] * 3, [1e-2] * 3, [np.inf] * 3]]
    seconds = [[[1.0] * 3, [2.0] * 3, [1.0] * 3], [[4.0] * 3, [2.0] * 3, [2.0] * 3]]
    inf = np.inf
    times = [[[1, 1, inf], [1, inf, inf], [inf] * 3], [[1] * 3, [1] * 3, [inf] * 3]]
    table = board(ended(losses, seconds=seconds), timed(times))
    assert table.index.tolist() == ["a", "b", "c"]
    assert table["rank"].tolist() == [1.5, 1.5, 3]
    # Infinite counts as 10, a thousand times the best.
    assert table["ratio"].tolist() == pytest.approx([2, 2**0.5, (8 * 1000) ** 0.5])
    assert table["wins"].tolist() == [1, 1, 0]
    assert table["reached_0.1"].tolist() == [1, 0.5, 0]
    assert table["seconds"].tolist() == pytest.approx([2**0.5, 2**0.5, 1])
    assert table["diverged"].tolist() == [0, 0, 3]
    for name in ("rank", "ratio", "wins", "test_rank", "seconds"):
        # Seeds that agree leave no doubt.
        np.testing.assert_allclose(table[f"{name}_low"], table[name])
        np.testing.assert_allclose(table[f"{name}_high"], table[name])


def test_leaderboard_agrees_with_a_loop():
    """Every score and every interval, pair by pair and draw by draw."""
    random = np.random.default_rng(5)
    losses = 10 ** random.uniform(-9, 2, (4, 3, 5))
    losses[random.random(losses.shape) < 0.1] = np.inf
    test_losses, seconds = random.random(losses.shape), random.uniform(1, 9, losses.shape)
    times = np.where(random.random(losses.shape) < 0.5, 1.0, np.inf)
    final = ended(losses, test_losses, seconds).sample(frac=1, random_state=1)
    table = board(final, timed(times), resamples=40, seed=3)
    draws = np.random.default_rng(3).integers(5, size=(40, 5))
    best = np.median(np.clip(losses, 1e-7, 10), axis=2).argmin(axis=1)
    fastest = np.median(seconds, axis=2).argmin(axis=1)

    def scores(draw, i):
        collected = {"rank": [], "test_rank": [], "ratio": [], "wins": 0, "reached_0.1": []}
        collected["seconds"] = []
        for pair in range(4):
            for seed in draw:
                collected["rank"].append(rankdata(losses[pair, :, seed])[i])
                collected["test_rank"].append(rankdata(test_losses[pair, :, seed])[i])
            clipped = np.median(np.clip(losses[pair][:, draw], 1e-7, 10), axis=1)
            collected["ratio"].append(np.log(clipped[i] / clipped[best[pair]]))
            middle = np.median(losses[pair][:, draw], axis=1)
            collected["wins"] += middle[i] == middle.min() < np.inf
            collected["reached_0.1"].append(np.median(times[pair, i, draw]) < np.inf)
            spent = np.median(seconds[pair][:, draw], axis=1)
            collected["seconds"].append(np.log(spent[i] / spent[fastest[pair]]))
        means = {name: np.mean(values) for name, values in collected.items()}
        geometric = {name: np.exp(means[name]) for name in ("ratio", "seconds")}
        return means | geometric

    for i, name in enumerate("abc"):
        resampled = pd.DataFrame([scores(draw, i) for draw in draws])
        for score, value in scores(np.arange(5), i).items():
            low, high = np.quantile(resampled[score], [0.025, 0.975])
            columns = [score, f"{score}_low", f"{score}_high"]
            np.testing.assert_allclose(table.loc[name, columns].astype(float), [value, low, high])


def test_pairing_removes_what_seeds_share():
    """One method has twice the other's loss from every start, however the starts differ."""
    base = 10 ** np.random.default_rng(0).uniform(-5, -1, (3, 1, 20))
    table = board(ended(np.concatenate([2 * base, base], axis=1)))
    assert table.loc["a", ["ratio_low", "ratio_high"]].tolist() == pytest.approx([2, 2])
    assert table.loc["a", ["rank_low", "rank_high"]].tolist() == [2, 2]


def test_the_best_stays_the_reference_in_every_draw():
    table = board(ended([[[1e-3, 1e-3, 4e-3], [2e-3, 2e-3, 2e-3]]]))
    assert table.loc["b", ["ratio_low", "ratio", "ratio_high"]].tolist() == [0.5, 2, 2]
    assert table.loc["a", ["ratio_low", "ratio_high"]].tolist() == [1, 1]


def test_what_is_beyond_the_limits_decides_no_more():
    table = board(ended([[[1e-14], [1e-7], [1e9]]]))
    assert table["ratio"].tolist() == pytest.approx([1, 1, 1e8])
    assert table["wins"].tolist() == [1, 0, 0]
    wider = board(ended([[[1e-14], [1e-7], [1e9]]]), limits=(1e-15, 1e10))
    assert wider["ratio"].tolist() == pytest.approx([1, 1e7, 1e23])


def test_half_of_the_seeds_at_the_target_are_enough_for_the_leaderboard():
    inf = np.inf
    times = timed([[[1, 1, inf, inf], [1, inf, inf, inf]]])
    assert board(ended(np.ones((1, 2, 4))), times)["reached_0.1"].to_dict() == {"a": 1, "b": 0}


def test_ties_share_their_ranks_and_both_win():
    table = board(ended([[[1.0] * 2, [1.0] * 2, [3.0] * 2]]))
    assert table["rank"].tolist() == [1.5, 1.5, 3]
    assert table["wins"].tolist() == [1, 1, 0]


def test_where_all_diverged_no_method_wins():
    table = board(ended(np.full((1, 3, 4), np.inf)))
    assert table["rank"].tolist() == [2, 2, 2]
    assert table["ratio"].tolist() == [1, 1, 1]
    assert table["wins"].tolist() == [0, 0, 0]
    assert table["diverged"].tolist() == [4, 4, 4]


def test_a_lone_method_is_first():
    row = board(ended([[[1.0, 2.0]], [[3.0, 5.0]]])).loc["a"]
    assert row[["rank", "ratio", "wins", "seconds"]].tolist() == [1, 1, 2, 1]
    assert row[["pairs", "seeds"]].tolist() == [2, 2]


def test_test_ranks_are_over_the_pairs_with_a_test_set():
    losses = np.array([[[1.0], [2.0]], [[1.0], [2.0]]])
    tested = board(ended(losses, [[[4.0], [3.0]], [[np.nan], [np.nan]]]))
    assert tested["test_rank"].to_dict() == {"a": 2, "b": 1}
    assert board(ended(losses, np.full_like(losses, np.nan)))["test_rank"].isna().all()


def test_a_race_that_is_not_whole_is_refused():
    final = ended(np.ones((2, 2, 3)))
    times = timed(np.ones((2, 2, 3)))
    for broken in (final.iloc[1:], pd.concat([final.iloc[1:], final.iloc[-1:]])):
        with pytest.raises(ValueError, match="not every method has the same seeds"):
            board(broken, times)
    for broken in (times.iloc[1:], pd.concat([times, times.iloc[:1]])):
        with pytest.raises(ValueError, match=r"not every run has one time to the target 0\.1"):
            board(final, broken)


def test_groups_have_leaderboards_of_their_own():
    final = ended(np.random.default_rng(2).random((2, 3, 4)))
    times = timed(np.ones((2, 3, 4)))
    table = leaderboards(final, times, {"c": "second", "a": "first", "b": "first"})
    assert list(table["group"]) == ["second", "first", "first"]
    alone = [each["method"].isin(["a", "b"]) for each in (final, times)]
    expected = leaderboard(final[alone[0]], times[alone[1]])
    pd.testing.assert_frame_equal(
        table.iloc[1:].drop(columns="group").reset_index(drop=True), expected
    )
    assert table["rank"].iloc[0] == 1
