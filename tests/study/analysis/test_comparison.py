import itertools

import numpy as np
import pandas as pd
import pytest

from hrta.study.analysis.comparison import (
    at_best_learning_rates,
    at_learning_rates,
    compare,
    final_losses,
    median_interval,
    quantiles_by_step,
)


def history(losses, steps=range(0, 101, 10), **columns):
    """Results of one run from its losses."""
    fixed = {"experiment": "e", "optimizer": "adam", "width": 5, "method": "relu", "seed": 0}
    fixed["learning_rate"] = 0.1
    return pd.DataFrame(
        fixed | columns | {"step": list(steps), "loss": losses, "test_loss": np.multiply(2, losses)}
    )


def test_final_loss_is_the_median_of_the_end():
    losses = [9, 9, 9, 9, 9, 9, 9, 9, 5, 1, 2]
    final = final_losses(history(losses), fraction=0.2)
    assert final["loss"].tolist() == [2]
    assert final["test_loss"].tolist() == [4]


def test_a_diverged_run_ends_at_infinity():
    losses = [1.0, 2, 3, np.inf, *[np.nan] * 7]
    both = pd.concat([history(losses), history(range(11), seed=1)])
    assert final_losses(both)["loss"].tolist() == [np.inf, 10]


def test_interval_of_the_median_agrees_with_order_statistics():
    """The bootstrap distribution of a median of odd size is known exactly: enumerate it."""
    values = np.array([3.0, 1.0, 4.0, 1.5, 9.0])
    medians = np.sort([np.median(draw) for draw in itertools.product(values, repeat=5)])
    low, high = np.quantile(medians, [0.025, 0.975], method="inverted_cdf")
    assert median_interval(values) == (3.0, low, high)


def test_interval_covers_the_true_median_as_often_as_it_says():
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        _, low, high = median_interval(random.normal(size=20))
        covered += low <= 0 <= high
    # 95 % nominal; the percentile bootstrap of 20 values is within 3 % of it, the binomial error
    # of 300 trials is 1.3 %.
    assert 0.90 <= covered / 300 <= 0.99


@pytest.mark.parametrize(
    ("values", "expected"),
    [([2.0], (2, 2, 2)), ([2.0, 2.0], (2, 2, 2)), ([np.inf, np.inf], (np.inf, np.inf, np.inf))],
)
def test_equal_values_are_their_own_interval(values, expected):
    assert median_interval(values) == expected


def test_some_infinities_leave_the_rest_in_order():
    median, low, high = median_interval([1.0, 2.0, 3.0, 4.0, np.inf])
    assert (median, high) == (3, np.inf)
    assert 1 <= low < 3


@pytest.fixture
def final():
    """Two methods on six seeds; 'better' halves every loss, whatever the seed."""
    base = np.array([1.0, 2, 4, 8, 16, 32])
    table = pd.DataFrame(
        {
            "experiment": "e",
            "optimizer": "adam",
            "width": 5,
            "learning_rate": 0.1,
            "method": pd.Categorical(["relu"] * 6 + ["better"] * 6, ["relu", "better"]),
            "seed": [*range(6)] * 2,
            "loss": np.concatenate([base, base / 2]),
        }
    )
    return table.sample(frac=1, random_state=1)


def test_ratios_are_paired_over_seeds(final):
    table = compare(final, "relu").set_index("method")
    assert table.loc["better", ["ratio", "ratio_low", "ratio_high"]].tolist() == pytest.approx(
        [0.5] * 3
    )
    assert table.loc["relu", ["ratio", "ratio_low", "ratio_high"]].tolist() == [1, 1, 1]
    assert table.loc["relu", "median"] == 6
    assert table.loc["better", "low"] < table.loc["better", "median"] == 3
    assert table["seeds"].tolist() == [6, 6]
    assert table.index.tolist() == ["relu", "better"]


def test_diverged_runs_count_as_worse(final):
    final.loc[(final["method"] == "better") & (final["seed"] < 5), "loss"] = np.inf
    row = compare(final, "relu").set_index("method").loc["better"]
    assert row["diverged"] == 5
    assert row["median"] == row["ratio"] == np.inf


def test_a_missing_baseline_is_refused(final):
    with pytest.raises(ValueError, match="baseline 'sgd' is not there"):
        compare(final, "sgd")
    missing = final[(final["method"] != "relu") | (final["seed"] != 2)]
    with pytest.raises(ValueError, match="baseline 'relu' is not there"):
        compare(missing, "relu")


def test_every_run_has_its_own_end():
    both = pd.concat([history(range(11)), history(range(6), steps=range(6), experiment="short")])
    final = final_losses(both).set_index("experiment")["loss"]
    assert final.to_dict() == {"e": 10, "short": 5}


def test_without_a_test_loss_there_is_none():
    final = final_losses(history(range(11)).drop(columns="test_loss"))
    assert list(final.columns)[-2:] == ["seed", "loss"]


def test_quantiles_end_where_diverged_runs_reach_into_them():
    runs = pd.concat(
        [history([1.0, 1, 1], steps=range(3), seed=seed) for seed in range(3)]
        + [history([2.0, np.inf, np.nan], steps=range(3), seed=seed) for seed in (3, 4)]
    )
    table = quantiles_by_step(runs, "loss", (0.25, 0.5, 0.75))
    assert table[0.5].tolist() == [1, 1, 1]
    assert table[0.75].isna().tolist() == [False, True, True]


def test_each_optimizer_is_shown_at_its_learning_rate():
    rows = [(name, rate) for name in ("adam", "heavy_ball") for rate in (0.1, 0.2)]
    table = pd.DataFrame(rows, columns=["optimizer", "learning_rate"])
    chosen = at_learning_rates(table, {"adam": 0.2, "heavy_ball": 0.1})
    assert chosen.to_numpy().tolist() == [["adam", 0.2], ["heavy_ball", 0.1]]


def test_each_method_at_its_own_best_learning_rate(final):
    """Relu is best at 0.3, the other at 0.1: the pairs are of different learning rates."""
    factors = {0.1: {"relu": 1, "better": 1}, 0.3: {"relu": 0.25, "better": 4}}
    rates = [
        final.assign(
            learning_rate=rate,
            loss=final["loss"] * final["method"].astype(str).map(factor),
        )
        for rate, factor in factors.items()
    ]
    both = pd.concat(rates, ignore_index=True)
    best = at_best_learning_rates(both)
    assert len(best) == 12
    assert best["learning_rate"].isna().all()
    table = compare(pd.concat([both, best], ignore_index=True), "relu")
    assert len(table) == 6
    at_best = table[table["learning_rate"].isna()].set_index("method")
    assert at_best["best_learning_rate"].to_dict() == {"relu": 0.3, "better": 0.1}
    assert at_best.loc["better", "ratio"] == pytest.approx(2)
    same = table[(table["learning_rate"] == 0.3) & (table["method"] == "better")]
    assert same["ratio"].tolist() == pytest.approx([8])
