import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap
from training_examples import history

from hrta.study.analysis.intervals import median_interval, quantiles_by_step


def test_interval_of_the_median_agrees_with_order_statistics():
    """The bootstrap distribution of a median of odd size is known exactly: enumerate it."""
    values = np.array([3.0, 1.0, 4.0, 1.5, 9.0])
    medians = np.sort([np.median(draw) for draw in itertools.product(values, repeat=5)])
    low, high = np.quantile(medians, [0.025, 0.975], method="inverted_cdf")
    assert median_interval(values) == (3.0, low, high)


@pytest.mark.parametrize("count", [2, 6, 7, 100])
def test_interval_is_that_of_scipys_bootstrap(count):
    values = np.random.default_rng(count).normal(size=count)
    interval = bootstrap(
        (values,), np.median, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert median_interval(values) == (np.median(values), *interval)


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


def test_quantiles_end_where_diverged_runs_reach_into_them():
    runs = pd.concat(
        [history([1.0, 1, 1], steps=range(3), seed=seed) for seed in range(3)]
        + [history([2.0, np.inf, np.nan], steps=range(3), seed=seed) for seed in (3, 4)]
    )
    table = quantiles_by_step(runs, "loss", (0.25, 0.5, 0.75))
    assert table[0.5].tolist() == [1, 1, 1]
    assert table[0.75].isna().tolist() == [False, True, True]
