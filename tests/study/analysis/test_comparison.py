import numpy as np
import pandas as pd
import pytest
from claim_examples import sign_test_by_hand
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap
from training_examples import halved

from hrta.study.analysis.comparison import (
    compare,
    log_ratio,
    paired,
    paired_ratio,
    sign_test,
)


@pytest.fixture
def final():
    return halved()


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
    with pytest.raises(ValueError, match="a run has no partner of the baseline 'sgd'"):
        compare(final, "sgd")
    missing = final[(final["method"] != "relu") | (final["seed"] != 2)]
    with pytest.raises(ValueError, match="a run has no partner of the baseline 'relu'"):
        compare(missing, "relu")


def test_any_cell_can_be_compared_by_any_of_its_columns(final):
    named = final.rename(columns={"method": "variant", "loss": "error"})
    for cell in (["width", "variant"], ["variant", "width"]):
        table = compare(named, "relu", "error", cell, by="variant")
        assert list(table)[:2] == cell
        ratios = table.set_index("variant")["ratio"].to_dict()
        assert ratios == pytest.approx({"relu": 1, "better": 0.5})


def test_rows_are_paired_by_their_key_and_those_alone_are_marked():
    rows = pd.DataFrame({"key": [1, 2], "value": [3.0, 4.0]})
    pairs = paired(rows, pd.DataFrame({"key": [2], "value": [5.0]}), ["key"])
    assert pairs["unpaired"].tolist() == [True, False]
    assert pairs["value_baseline"][1] == 5


def test_log_ratios_of_equals_are_ties_and_of_negatives_missing():
    values = pd.Series([10.0, np.inf, 0.0, np.inf, 0.0, -1.0, np.nan])
    others = pd.Series([1.0, np.inf, 0.0, 1.0, 1.0, 1.0, 1.0])
    np.testing.assert_equal(
        log_ratio(values, others).to_numpy(), [1, 0, 0, np.inf, -np.inf, np.nan, np.nan]
    )


def test_ratio_and_interval_are_those_of_scipy():
    sample = np.random.default_rng(3).normal(-0.2, 1, size=30)
    cell = paired_ratio(sample)
    interval = bootstrap(
        (sample,), np.median, n_resamples=9999, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    expected = 10 ** np.array([np.median(sample), interval.low, interval.high])
    np.testing.assert_allclose(cell[:3], expected)


@given(st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 1.0, np.inf]), min_size=1, max_size=9))
def test_sign_test_agrees_with_all_signs(values):
    expected = sign_test_by_hand(values) if any(values) else 1
    assert sign_test(np.array(values)) == pytest.approx(expected)
