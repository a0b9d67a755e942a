import numpy as np
import pandas as pd
from race_examples import ended, timed

from hrta.study.analysis.leaderboard import leaderboard
from hrta.study.analysis.race_tables import (
    readable_chosen,
    readable_gains,
    readable_leaderboard,
    readable_medians,
)
from hrta.study.analysis.races import medians

LABELS = {"a": "Method A", "b": "Method B", "c": "Method C"}


def test_the_leaderboard_reads_as_text():
    inf = np.inf
    losses = [[[1e-3] * 2, [2e-3] * 2], [[1e-3] * 2, [inf, 8e-3]]]
    times = pd.concat([timed(np.ones((2, 2, 2)), 0.001), timed(np.ones((2, 2, 2)), 0.5)])
    text = readable_leaderboard(leaderboard(ended(losses), times), LABELS)
    assert text.iloc[0].to_dict() == {
        "method": "Method A",
        "mean rank [95 %]": "1.0 [1.0, 1.0]",
        "final loss ÷ best [95 %]": "1 [1, 1]",
        "wins of 2": 2,
        "reached 0.5": "100 %",
        "reached 0.001": "100 %",
        "mean rank by test loss [95 %]": "1.0 [1.0, 1.0]",
        "seconds ÷ fastest": "1",
        "diverged": "0 of 4",
    }
    assert text["diverged"].tolist() == ["0 of 4", "1 of 4"]
    untested = ended(np.ones((1, 2, 2)), np.full((1, 2, 2), np.nan))
    short = readable_leaderboard(leaderboard(untested, timed(np.ones((1, 2, 2)))), LABELS)
    assert "diverged" not in short
    assert not any("test loss" in name for name in short)


def test_gains_read_as_text():
    row = {"problem": "p", "width": 5, "method": "b", "baseline": "a", "seeds": 20}
    ratios = ["ratio", "ratio_low", "ratio_high"]
    table = pd.DataFrame(
        [
            row | {"problem": "q"} | dict(zip(ratios, (2, 1.5, np.inf), strict=True)),
            row | dict(zip(ratios, (0.52, 0.4, 0.6), strict=True)),
            row | {"method": "c"} | dict(zip(ratios, (0.9, 0.8, 1.1), strict=True)),
        ]
    )
    text = readable_gains(table, LABELS, {"p": "Problem P", "q": "Problem Q"})
    assert text.to_dict("list") == {
        "problem": ["Problem P", "Problem Q"],
        "width": [5, 5],
        "Method B ÷ Method A": ["0.52 [0.4, 0.6] ▼", "2 [1.5, inf] ▲"],
        "Method C ÷ Method A": ["0.9 [0.8, 1.1]", "–"],
    }


def test_finals_read_as_text():
    final = medians(ended([[[0.5, 0.5], [0.25, 0.25]]]).assign(evaluations=9.0))
    text = readable_medians(final, LABELS, {"p": "Problem P"})
    assert text["problem"].tolist() == ["Problem P"] * 2
    assert text["method"].tolist() == ["Method B", "Method A"]
    assert text["final loss [95 %]"].iloc[0] == "2.50e-01 [2.50e-01, 2.50e-01]"
    assert text["evaluations"].tolist() == ["9", "9"]
    assert "diverged" not in text
    assert not any("misclassified" in name for name in text)


def test_shares_of_misclassified_points_are_shown_where_there_are_classes():
    ends = ended([[[0.5, 0.5], [0.25, 0.25]]] * 3).assign(evaluations=9.0)
    ends["test_error"] = np.where(ends["problem"] == "p", 0.125, np.nan)
    text = readable_medians(medians(ends), LABELS, {"p": "Problem P", "q": "Problem Q"})
    shares = text.groupby("problem")["misclassified [95 %], in %"].agg(["first", "nunique"])
    assert shares["first"].tolist() == ["12.5 [12.5, 12.5]", "–"]
    assert shares["nunique"].tolist() == [1, 1]


def test_chosen_parameters_read_as_text():
    missing = dict.fromkeys(["momentum", "ridge", "history_size", "recovery"], np.nan)
    rows = [
        {"problem": "p", "width": 5, "method": "a", "learning_rate": 0.1, "edge": 1} | missing,
        {"problem": "p", "width": 5, "method": "b", "learning_rate": 1.0, "edge": 0}
        | missing
        | {"momentum": 0.9},
    ]
    text = readable_chosen(pd.DataFrame(rows), LABELS, {"p": "Problem P"})
    assert list(text) == ["method", "Problem P, m = 5"]
    assert text.to_numpy().tolist() == [["Method A", "0.1 ▶"], ["Method B", "1, 0.9"]]
