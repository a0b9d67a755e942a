"""The experiment's tables hold what training gives; final errors and ratios by hand."""

import numpy as np
import pandas as pd
import pytest

from hrta import Schedule, TwoLayer
from hrta.problems.poisson import MODES, make_problem
from hrta.study.analysis.poisson import (
    at_own_best,
    compare_errors,
    final_errors,
    readable_errors,
    readable_loss_gaps,
    with_gaps,
)
from hrta.study.config.poisson import PoissonSpec
from hrta.study.experiments.poisson import SIDE, run
from hrta.training import DeepRitz, train
from hrta.training.objectives.deep_ritz import predict

PROBLEM = make_problem("cosines")
METHODS = {"relu2": [1, 1], "relaxation": [1, 1.5]}
OPTIONS = {
    "experiment": "mine",
    "solution": "cosines",
    "methods": METHODS,
    "seeds": 3,
    "learning_rates": [0.01, 0.03],
    "width": 10,
    "points": 16,
    "quadrature": "monte_carlo",
    "stage_steps": 10,
    "decay": 0.5,
    "log_every": 6,
}


def trained_by_itself(problem, quadrature, rate, seed):
    schedule = Schedule.constant_length([1, 1.5], 10)
    networks = TwoLayer.initialise([seed], problem.dimension, 10)
    seeds = [seed] if quadrature == "monte_carlo" else None
    return train(
        *(problem, networks, schedule),
        learning_rate=rate,
        log_every=6,
        decay=0.5,
        objective=DeepRitz(OPTIONS["points"], quadrature, seeds),
    )


@pytest.mark.parametrize("quadrature", ["grid", "monte_carlo"])
def test_the_tables_are_those_of_training(quadrature):
    outcome = run(PoissonSpec(**OPTIONS | {"quadrature": quadrature}))
    runs, solutions = outcome.table, outcome.second
    names = "experiment problem width method optimizer learning_rate seed step stage s loss "
    names += "exact_loss energy l2_error h1_error"
    assert [*runs] == names.split()
    assert len(runs) == 2 * 2 * 3 * 5
    assert set(runs["width"]) == {10}
    here = runs[(runs["method"] == "relaxation") & (runs["learning_rate"] == 0.03)]
    alone = {seed: trained_by_itself(PROBLEM, quadrature, 0.03, seed) for seed in range(3)}
    for seed, training in alone.items():
        rows = here[here["seed"] == seed][training.history.columns.drop("run")]
        expected = training.history.drop(columns="run")
        np.testing.assert_array_equal(rows.to_numpy(), expected.to_numpy())
    ends = {seed: training.history["l2_error"].iloc[-1] for seed, training in alone.items()}
    middle = sorted(ends, key=ends.get)[1]
    cell = solutions[(solutions["method"] == "relaxation") & (solutions["learning_rate"] == 0.03)]
    assert set(cell["seed"]) == {middle}
    assert len(cell) == SIDE**2
    x = cell[["x1", "x2"]].to_numpy()
    assert (x.min(), x.max()) == (0, 1)
    phi = predict(alone[middle].networks, x, 1.5)[0]
    np.testing.assert_allclose(cell["prediction"], phi, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(cell["exact"], PROBLEM.solution(x))
    assert len(solutions) == 2 * 2 * SIDE**2


def test_in_three_dimensions_a_slice_is_kept():
    problem = make_problem("cosines3d")
    changes = {"solution": "cosines3d", "points": 8, "seeds": 1, "learning_rates": [0.01]}
    solutions = run(PoissonSpec(**OPTIONS | changes)).second
    x = np.column_stack([solutions[["x1", "x2"]], np.full(len(solutions), 0.5)])
    np.testing.assert_allclose(solutions["exact"], problem.solution(x), atol=1e-14)


def test_a_problem_on_a_line_is_refused(monkeypatch):
    monkeypatch.setitem(MODES, "line", ((1,),))
    with pytest.raises(ValueError, match="problem line has one dimension; solutions need two"):
        run(PoissonSpec(**OPTIONS | {"solution": "line"}))


def runs_of(errors):
    """A table of runs whose errors are the given ones at steps 0, 99 and 100, for all else 0."""
    keys = {"experiment": "mine", "problem": "cosines", "width": 10, "optimizer": "adam"}
    rows = []
    for (method, rate, seed), values in errors.items():
        for step, value in zip((0, 99, 100), values, strict=True):
            rows.append(
                keys
                | {"method": method, "learning_rate": rate, "seed": seed, "step": step}
                | {"stage": 1, "s": 1.0, "loss": value - 2, "exact_loss": -2}
                | {"energy": PROBLEM.minimum + 3 * value, "l2_error": value, "h1_error": 2 * value}
            )
    return pd.DataFrame(rows)


ERRORS = {("relu2", 0.1, seed): (9, 4, 6) for seed in range(6)}
ERRORS |= {("relu2", 0.2, seed): (9, 8, 8) for seed in range(6)}
ERRORS |= {("relaxation", 0.1, seed): (9, 8, 12 + seed / 100) for seed in range(6)}
ERRORS |= {("relaxation", 0.2, seed): (1, 1, 1 + seed / 100) for seed in range(6)}


def test_final_errors_are_medians_of_the_last_steps():
    final = final_errors(runs_of(ERRORS)).set_index(["method", "learning_rate", "seed"])
    row = final.loc[("relu2", 0.1, 3)]
    expected = {"l2_error": 5, "h1_error": 10, "gap": 15, "loss_gap": 5}
    assert row[[*expected]].tolist() == pytest.approx([*expected.values()])


def test_what_diverged_is_infinitely_far_off():
    diverged = runs_of({("relu2", 0.1, 0): (1, np.inf, np.inf)}).assign(exact_loss=[-2, -2, np.inf])
    assert with_gaps(diverged)["loss_gap"].tolist() == [1, np.inf, np.inf]
    columns = ["l2_error", "h1_error", "gap", "loss_gap"]
    assert np.isinf(final_errors(diverged)[columns]).all(axis=None)


def test_ratios_are_paired_at_each_learning_rate_and_at_the_best():
    compared = compare_errors(final_errors(runs_of(ERRORS)), "relu2")
    assert len(compared) == 3 * 2 * 3
    key = ["quantity", "method", "learning_rate"]
    ratios = compared[compared["learning_rate"].notna()].set_index(key)["ratio"]
    for quantity in ("l2_error", "h1_error", "gap"):
        assert ratios[quantity, "relaxation", 0.1] == pytest.approx(2, rel=0.01)
        assert ratios[quantity, "relaxation", 0.2] == pytest.approx(1 / 8, rel=0.02)
    best = compared[compared["learning_rate"].isna()].set_index(["quantity", "method"])
    assert best.loc[("gap", "relu2"), ["median", "best_learning_rate"]].tolist() == [15, 0.1]
    row = best.loc[("gap", "relaxation")]
    assert row["best_learning_rate"] == 0.2
    assert row["ratio"] == pytest.approx(1 / 5, rel=0.02)


def test_rows_at_each_methods_own_best_learning_rate():
    runs = runs_of(ERRORS)
    best = at_own_best(runs, final_errors(runs))
    rates = best.groupby("method")["learning_rate"].unique()
    assert rates.map(list).to_dict() == {"relu2": [0.1], "relaxation": [0.2]}
    assert len(best) == 2 * 6 * 3
    categories = runs.astype({"experiment": "category", "method": "category"})
    assert at_own_best(categories, final_errors(categories)).index.equals(best.index)


def test_the_readable_table_has_labels_order_and_marks():
    labels = {"relaxation": "HRTA 1 → 3/2", "relu2": "ReLU²"}
    compared = compare_errors(final_errors(runs_of(ERRORS)), "relu2")
    table = readable_errors(compared, labels, {"mine": "Mine"}, "relu2")
    assert table["method"].tolist() == ["HRTA 1 → 3/2", "ReLU²"] * 3
    assert table["learning rate"].tolist()[-2:] == ["own best: 0.2", "own best: 0.1"]
    assert [*table][4:] == [
        f"{quantity}{rest}"
        for quantity in ("L² error", "H¹ error", "energy gap")
        for rest in (" [95 %]", ": ratio [95 %]")
    ]
    ratios = table["energy gap: ratio [95 %]"]
    assert ratios[0].endswith("▲")
    assert ratios[1] == "1"
    assert ratios[2].endswith("▼")
    assert set(table["problem"]) == {"Mine"}


def test_loss_gaps_have_a_column_for_each_method():
    labels = {"relaxation": "HRTA 1 → 3/2", "relu2": "ReLU²"}
    final = final_errors(runs_of(ERRORS))
    table = readable_loss_gaps(final.astype({"method": "category"}), labels, {"mine": "Mine"})
    assert [*table] == ["problem", "width", "learning rate", "HRTA 1 → 3/2", "ReLU²"]
    assert table["problem"].tolist() == ["Mine", "Mine"]
    assert table["learning rate"].tolist() == [0.1, 0.2]
    assert table["ReLU²"].tolist() == ["5.00e+00", "8.00e+00"]
    assert float(table["HRTA 1 → 3/2"][1]) == pytest.approx(1, rel=0.02)
