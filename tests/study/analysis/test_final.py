import numpy as np
import pandas as pd
import pytest
from race_examples import run
from training_examples import halved, history

from hrta.study.analysis.comparison import compare
from hrta.study.analysis.final import (
    at_best_learning_rates,
    at_learning_rates,
    final_losses,
    final_measures,
    final_race_results,
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


def test_every_run_has_its_own_end():
    both = pd.concat([history(range(11)), history(range(6), steps=range(6), experiment="short")])
    final = final_losses(both).set_index("experiment")["loss"]
    assert final.to_dict() == {"e": 10, "short": 5}


def test_without_a_test_loss_there_is_none():
    final = final_losses(history(range(11)).drop(columns="test_loss"))
    assert list(final.columns)[-2:] == ["seed", "loss"]


def test_each_optimizer_is_shown_at_its_learning_rate():
    rows = [(name, rate) for name in ("adam", "heavy_ball") for rate in (0.1, 0.2)]
    table = pd.DataFrame(rows, columns=["optimizer", "learning_rate"])
    chosen = at_learning_rates(table, {"adam": 0.2, "heavy_ball": 0.1})
    assert chosen.to_numpy().tolist() == [["adam", 0.2], ["heavy_ball", 0.1]]


def test_each_method_at_its_own_best_learning_rate():
    """Relu is best at 0.3, the other at 0.1: the pairs are of different learning rates."""
    final = halved()
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


def test_any_columns_can_identify_a_run_and_any_be_its_measures():
    runs = pd.DataFrame({"name": list("aabb"), "step": [0, 9, 0, 9], "error": [4.0, 1, 4, 2]})
    runs["share"], runs["test_error"] = runs["error"] / 4, [0.5, np.nan, 0.5, 0.25]
    final = final_measures(runs, ["name"], ["share", "error", "test_error"])
    assert list(final) == ["name", "share", "error", "test_error"]
    assert final["share"].tolist() == [0.25, 0.5]
    # A missing share of misclassified points is not infinite.
    assert np.isnan(final["test_error"][0])


def test_a_run_ends_at_the_median_of_its_last_steps_whenever_they_are():
    long = run([9.0] * 8 + [5, 1, 2])
    short = run([9.0, 8, 7], method="b")
    final = final_race_results(pd.concat([short, long]), fraction=0.2).set_index("method")
    assert final["loss"].to_dict() == {"a": 2, "b": 7}
    assert final["evaluations"].to_dict() == {"a": 100, "b": 20}
    assert final["seconds"].to_dict() == {"a": 20, "b": 4}


def test_what_is_missing_after_divergence_is_infinite():
    final = final_race_results(run([1.0, np.inf, np.nan], test_loss=[1.0, np.nan, np.nan]))
    assert final.loc[0, ["loss", "test_loss"]].tolist() == [np.inf, np.inf]


def test_errors_end_as_losses_do_where_there_are_any():
    final = final_race_results(run([1.0, 0.5], test_error=[0.5, 0.25]))
    assert final.loc[0, "test_error"] == 0.25
    assert "test_error" not in final_race_results(run([1.0, 0.5]))
    mixed = pd.concat([run([1.0], test_error=[0.5]), run([1.0], problem="q")])
    assert np.isnan(final_race_results(mixed).set_index("problem").loc["q", "test_error"])


def test_without_a_test_set_the_test_loss_stays_missing():
    with_test = run([1.0, np.nan], problem="q", test_loss=[2.0, np.nan])
    final = final_race_results(pd.concat([run([1.0, np.nan]), with_test])).set_index("problem")
    assert np.isnan(final.loc["p", "test_loss"])
    assert final.loc["q", "test_loss"] == np.inf


def test_categories_without_rows_make_no_rows():
    runs = run([1.0, 0.5]).astype({"method": pd.CategoricalDtype(["b", "a"])})
    assert final_race_results(runs)["method"].tolist() == ["a"]
