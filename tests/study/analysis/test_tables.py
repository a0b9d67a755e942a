import re

import numpy as np
import pandas as pd

from hrta.study.analysis import tables

METHODS = {"relu": "ReLU", "relaxed": "s = 3/2"}
ROW = {
    "experiment": "e",
    "optimizer": "adam",
    "width": 50,
    "learning_rate": 0.1,
    "seeds": 20,
    "diverged": 0,
}
COMPARISON = pd.DataFrame(
    [
        ROW
        | {"method": "relu", "median": 1e-3, "low": 9e-4, "high": 2e-3}
        | {"ratio": 1.0, "ratio_low": 1.0, "ratio_high": 1.0},
        ROW
        | {"method": "relaxed", "median": 5e-4, "low": 4e-4, "high": 6e-4}
        | {"ratio": 0.5, "ratio_low": 0.4, "ratio_high": 0.7},
    ]
)


def readable(comparison):
    return tables.readable_comparison(comparison, METHODS, {"adam": "Adam"}, {"e": "E"}, "relu")


def test_rows_read_as_text():
    table = readable(COMPARISON)
    assert table["problem"].tolist() == ["E", "E"]
    assert table["final loss [95 %]"].tolist() == [
        "1.00e-03 [9.00e-04, 2.00e-03]",
        "5.00e-04 [4.00e-04, 6.00e-04]",
    ]
    assert table["ratio to ReLU [95 %]"].tolist() == ["1", "0.5 [0.4, 0.7] ▼"]
    assert "diverged" not in table


def test_rows_are_ordered_as_the_mappings():
    shuffled = pd.concat([COMPARISON.assign(experiment=name) for name in ("e", "a")]).iloc[::-1]
    ordered = tables.in_order(shuffled, METHODS, {"adam": "Adam"}, {"e": "E", "a": "A"})
    assert ordered["experiment"].tolist() == ["e", "e", "a", "a"]
    assert ordered["method"].tolist() == ["relu", "relaxed"] * 2


def test_marks_need_the_whole_interval():
    comparison = COMPARISON.copy()
    comparison.loc[1, ["ratio", "ratio_low", "ratio_high"]] = [0.9, 0.8, 1.1]
    assert readable(comparison).iloc[1, 6] == "0.9 [0.8, 1.1]"
    comparison.loc[1, ["ratio", "ratio_low", "ratio_high"]] = [1.2, 1.1, 1.3]
    assert readable(comparison).iloc[1, 6] == "1.2 [1.1, 1.3] ▲"


def test_diverged_runs_are_shown():
    comparison = COMPARISON.copy()
    comparison.loc[1, "diverged"] = 3
    assert readable(comparison)["diverged"].tolist() == ["0 of 20", "3 of 20"]


def test_ratios_have_a_column_for_each_method():
    both = pd.concat([COMPARISON, COMPARISON.assign(width=9)])
    ratios = tables.readable_ratios(readable(both))
    assert list(ratios.columns)[:4] == ["problem", "optimizer", "width", "learning rate"]
    assert list(ratios.columns)[4:] == ["ReLU", "s = 3/2"]
    assert ratios["width"].tolist() == [50, 9]
    assert ratios["s = 3/2"].tolist() == ["0.5 [0.4, 0.7] ▼"] * 2


def test_both_files_are_written(tmp_path):
    tables.save_table(COMPARISON, readable(COMPARISON), tmp_path / "t")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "t.csv"), COMPARISON)
    assert "| E         | Adam" in (tmp_path / "t.md").read_text()


def test_a_missing_method_is_a_dash():
    both = pd.concat([COMPARISON, COMPARISON.iloc[:1].assign(width=9)])
    assert tables.readable_ratios(readable(both))["s = 3/2"].tolist()[1] == "–"


def test_own_best_learning_rates_come_last_and_share_a_row_of_ratios():
    best = COMPARISON.assign(learning_rate=np.nan, best_learning_rate=[0.3, 0.1])
    both = pd.concat([best, COMPARISON.assign(learning_rate=0.3), COMPARISON])
    ordered = tables.in_order(both, METHODS, {"adam": "Adam"}, {"e": "E"})
    text = readable(ordered)
    rates = ["0.1", "0.1", "0.3", "0.3", "own best: 0.3", "own best: 0.1"]
    assert text["learning rate"].tolist() == rates
    ratios = tables.readable_ratios(text)
    assert ratios["learning rate"].tolist() == ["0.1", "0.3", "own best"]
    assert ratios["s = 3/2"].tolist() == ["0.5 [0.4, 0.7] ▼"] * 3


def test_a_bar_in_a_label_does_not_end_a_cell_of_markdown(tmp_path):
    table = pd.DataFrame({"|a|": ["|x|", "$|x|^{2}$"], "b": [1, 2]})
    tables.save_table(table, table, tmp_path / "bars")
    lines = (tmp_path / "bars.md").read_text(encoding="utf-8").splitlines()
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [3] * 4
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "bars.csv"), table)
