import numpy as np
import pandas as pd
from race_examples import run

from hrta.study.analysis.race_results import ends, on
from hrta.study.analysis.race_statistics import times_to_targets


def test_a_run_ends_at_the_median_of_its_last_steps_whenever_they_are():
    long = run([9.0] * 8 + [5, 1, 2])
    short = run([9.0, 8, 7], method="b")
    final = ends(pd.concat([short, long]), fraction=0.2).set_index("method")
    assert final["loss"].to_dict() == {"a": 2, "b": 7}
    assert final["evaluations"].to_dict() == {"a": 100, "b": 20}
    assert final["seconds"].to_dict() == {"a": 20, "b": 4}


def test_what_is_missing_after_divergence_is_infinite():
    final = ends(run([1.0, np.inf, np.nan], test_loss=[1.0, np.nan, np.nan]))
    assert final.loc[0, ["loss", "test_loss"]].tolist() == [np.inf, np.inf]


def test_errors_end_as_losses_do_where_there_are_any():
    final = ends(run([1.0, 0.5], test_error=[0.5, 0.25]))
    assert final.loc[0, "test_error"] == 0.25
    assert "test_error" not in ends(run([1.0, 0.5]))
    mixed = pd.concat([run([1.0], test_error=[0.5]), run([1.0], problem="q")])
    assert np.isnan(ends(mixed).set_index("problem").loc["q", "test_error"])


def test_without_a_test_set_the_test_loss_stays_missing():
    with_test = run([1.0, np.nan], problem="q", test_loss=[2.0, np.nan])
    final = ends(pd.concat([run([1.0, np.nan]), with_test])).set_index("problem")
    assert np.isnan(final.loc["p", "test_loss"])
    assert final.loc["q", "test_loss"] == np.inf


def test_categories_without_rows_make_no_rows():
    runs = run([1.0, 0.5]).astype({"method": pd.CategoricalDtype(["b", "a"])})
    assert ends(runs)["method"].tolist() == ["a"]
    assert times_to_targets(runs, [0.5], "seconds")["method"].tolist() == ["a"]


def test_rows_are_kept_by_problem_and_width():
    runs = pd.concat([run([1.0], problem=p, width=w) for p in "pq" for w in (5, 50)])
    kept = on(["q"])(runs)
    assert kept[["problem", "width"]].to_numpy().tolist() == [["q", 5], ["q", 50]]
    assert on(["p", "q"], [5])(runs)["problem"].tolist() == ["p", "q"]
    assert on(["p", "q"], methods=["none"])(runs).empty
    assert on(["p", "q"], methods=runs["method"])(runs).equals(runs)
