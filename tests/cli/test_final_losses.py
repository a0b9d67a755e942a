"""The summary of a training: what a method gains over ReLU."""

import numpy as np
import pandas as pd
import pytest

from hrta.cli.final_losses import final_losses_as_text
from hrta.study.analysis.comparison import compare
from hrta.study.analysis.final import at_best_learning_rates, final_losses
from hrta.study.analysis.tables import marked_ratio

METHODS = {"plain": [1.0, 1.0], "mine": [1.0, 1.5]}


def runs(seeds, rates=(0.1,), methods=METHODS):
    """The last rows of runs; `mine` has about half the loss of `plain`, or infinite ones at 9."""
    random = np.random.default_rng(0)
    rows = [
        {
            **{"experiment": "e", "problem": "p", "width": 5, "optimizer": "adam", "step": 1},
            **{"method": method, "learning_rate": rate, "seed": seed},
            "loss": np.inf if rate == 9 else (1 - 0.5 * (method == "mine")) * random.uniform(1, 2),
            "test_loss": random.uniform(1, 2),
        }
        for method in methods
        for rate in rates
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def text_of(final, measure):
    """The ratio of `mine` as the library's comparison has it."""
    compared = compare(final, "plain", measure).set_index("method").loc["mine"]
    return marked_ratio(*compared[["ratio", "ratio_low", "ratio_high"]].astype(float))


def test_ratios_are_those_of_the_comparison_with_their_intervals():
    table = runs(seeds=8)
    text = final_losses_as_text(table, METHODS)
    final = final_losses(table)
    assert "median final losses over 8 seeds" in text
    medians, _, ratios = text.partition("ratios to plain\n")
    assert f"{final[final['method'] == 'mine']['loss'].median():.4f}" in medians
    (line,) = [line for line in ratios.splitlines() if line.startswith("mine")]
    assert text_of(final, "loss") in line
    assert "▼" in text_of(final, "loss")
    assert text_of(final, "test_loss") in line
    assert max(map(len, text.splitlines())) <= 90
    assert "All methods have learning rate 0.1. Compare each at its own best" in text


def test_too_few_seeds_for_an_interval_are_said_and_none_is_shown():
    text = final_losses_as_text(runs(seeds=5), METHODS)
    assert "5 pairs are too few for a\n95 % interval, which needs 6 or more" in text
    assert "[0." not in text
    assert "▼" not in text
    assert "▼" in final_losses_as_text(runs(seeds=6), METHODS)


def test_several_learning_rates_have_a_table_with_the_best_of_each_method():
    table = runs(seeds=6, rates=(0.1, 0.2))
    best = at_best_learning_rates(final_losses(table))
    shown = final_losses_as_text(table, METHODS).partition("at its own best learning rate\n")[2]
    medians, ratios = [line for line in shown.splitlines() if line.startswith("mine")]
    assert text_of(best, "loss") in ratios
    rate = best.loc[best["method"] == "mine", "best_learning_rate"].iloc[0]
    assert f" {rate:g} " in medians
    assert "Compare each" not in shown


def test_the_ratio_of_two_diverged_cells_is_none():
    text = final_losses_as_text(runs(seeds=6, rates=(0.1, 9)), METHODS)
    assert text.count("6 of 6") == 2
    assert text.count("–") == 2
    assert "[1, 1]" not in text


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({"late": [1.5, 1.5], "mine": [1.0, 1.5]}, True),
        ({"late": [1.5, 1.5]}, False),
        ({"plain": [1.0, 1.0]}, False),
    ],
)
def test_without_two_methods_of_which_one_is_relu_there_are_no_ratios(methods, said):
    text = final_losses_as_text(runs(6, methods=methods), methods)
    assert ("no method has s = 1 throughout" in text) == said
    assert "ratios to late" not in text
    assert "ratios to plain" not in text
    assert "bootstrap" not in text
