"""The experiment's tables hold what training gives; errors and ratios by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from job_examples import stored

from hrta import Problem, Schedule, Stage
from hrta.networks.adaptive import AdaptiveNetworks
from hrta.problems.targets import make_problem
from hrta.study.analysis.slopes import compare_errors, readable_errors, relative_errors
from hrta.study.config.adaptive_slopes import SlopesSpec
from hrta.study.config.mistakes import ConfigError, checked
from hrta.study.experiments.slopes import run
from hrta.training import AdaptiveSlopes, train

PROBLEM = make_problem("jump1d", 20, 1)
VARIANTS = {
    "fixed": {"adaptive": "none", "recovery": 0},
    "layer": {"adaptive": "layer", "recovery": 0},
    "recovery": {"adaptive": "layer", "recovery": 1.0},
    "neuron": {"adaptive": "neuron", "recovery": 0.5},
}
OPTIONS = {
    "experiment": "mine",
    "problem": stored(PROBLEM),
    "variants": VARIANTS,
    "hidden": [6, 5],
    "activation": "tanh",
    "seeds": 2,
    "steps": 12,
    "solution_steps": [7, 12],
    "learning_rate": 0.01,
    "scale": 10.0,
    "log_every": 5,
}
SPEC = SlopesSpec(**OPTIONS)


def test_the_tables_are_those_of_training():
    outcome = run(SPEC)
    errors, solutions = outcome.table, outcome.second
    columns = ["experiment", "problem", "variant", "seed", "step"]
    assert [*errors] == [*columns, "loss", "slope"]
    assert [*solutions] == [*columns, "x1", "y", "prediction"]
    assert len(errors) == 4 * 2 * 4
    assert len(solutions) == 4 * 2 * 2 * 20
    start = AdaptiveNetworks.initialise([0, 1], 1, [6, 5], "tanh", "layer")
    training = train(
        *(PROBLEM, start, Schedule([Stage(1.0, 12)])),
        learning_rate=0.01,
        log_every=5,
        objective=AdaptiveSlopes(1.0),
    )
    history, trained = training.history, training.networks
    here = errors[(errors["variant"] == "recovery") & (errors["seed"] == 1)]
    assert here["step"].tolist() == [0, 5, 10, 12]
    np.testing.assert_array_equal(here["loss"], history.loc[history["run"] == 1, "loss"])
    slopes = [10 * slope[1].item() for slope in trained.slopes]
    assert here["slope"].iloc[-1] == pytest.approx(np.mean(slopes))
    assert here["slope"].iloc[0] == pytest.approx(1)
    here = (solutions["variant"] == "recovery") & (solutions["seed"] == 1)
    last = solutions[here & (solutions["step"] == 12)]
    expected = trained.predict(torch.tensor(PROBLEM.x).float())[1]
    np.testing.assert_allclose(last["prediction"], expected.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(last["y"], PROBLEM.y)


def test_fixed_slopes_stay_and_all_variants_start_alike():
    errors = run(SPEC).table
    # 10 times 1/10 is 1 to rounding.
    np.testing.assert_allclose(errors.loc[errors["variant"] == "fixed", "slope"], 1, rtol=1e-6)
    first = errors[errors["step"] == 0].pivot(index="seed", columns="variant", values="loss")
    assert (first.nunique(axis=1) == 1).all()


def test_points_come_in_ascending_order():
    order = np.random.default_rng(0).permutation(20)
    shuffled = Problem("mine", PROBLEM.x[order], PROBLEM.y[order])
    solutions = run(SlopesSpec(**OPTIONS | {"problem": stored(shuffled)})).second
    functions = solutions.groupby(["variant", "seed", "step"])
    assert functions["x1"].apply(lambda x: x.is_monotonic_increasing).all()
    first = next(iter(functions))[1]
    np.testing.assert_array_equal(first["y"], PROBLEM.y)


def test_progress_is_that_of_all_variants():
    told = []
    run(SPEC, progress=lambda done, steps: told.append((done, steps)))
    assert told[0] == (0, 48)
    assert told[-1] == (48, 48)
    assert told == sorted(told)


def test_what_makes_no_sense_is_refused():
    plane = make_problem("sine3d", 8, 1)
    with pytest.raises(ValueError, match="problem sine3d has 3 inputs; it must have one"):
        run(SlopesSpec(**OPTIONS | {"problem": stored(plane)}))
    for steps, message in (
        ([13], r"solution_steps: \[13\] given; there are 12 steps"),
        ([], r"solution_steps: \[\] given; list should have at least 1 item"),
    ):
        with pytest.raises(ConfigError, match=message):
            checked(SlopesSpec, OPTIONS | {"solution_steps": steps}, "spec")


def solutions(predictions):
    """Two points, y = 3 and 4, for each variant and seed the predictions there."""
    rows = [
        {"experiment": "mine", "variant": variant, "seed": seed, "step": 9, "x1": x, "y": y}
        | {"prediction": prediction}
        for (variant, seed), both in predictions.items()
        for (x, y), prediction in zip([(0, 3), (1, 4)], both, strict=True)
    ]
    return pd.DataFrame(rows)


def test_errors_and_ratios_by_hand():
    found = {
        ("fixed", 0): (3, 4.5),
        ("fixed", 1): (3, 5),
        ("fixed", 2): (3, 4.5),
        ("layer", 0): (3.25, 4),
        ("layer", 1): (2.5, 4),
        ("layer", 2): (np.nan, 4),
    }
    errors = relative_errors(solutions(found))
    assert errors["error"].tolist() == pytest.approx([0.1, 0.2, 0.1, 0.05, 0.1, np.inf])
    compared = compare_errors(errors, "fixed").set_index("variant")
    assert compared["seeds"].tolist() == [3, 3]
    assert compared.loc["layer", ["median", "ratio"]].tolist() == pytest.approx([0.1, 0.5])
    assert compared.loc["fixed", ["ratio", "ratio_low", "ratio_high"]].tolist() == [1, 1, 1]
    assert compared.loc["layer", "ratio_high"] == np.inf


def test_the_readable_table_has_labels_order_and_marks():
    found = {("layer", seed): (3, 4.1 + seed / 100) for seed in range(8)}
    found |= {("fixed", seed): (3, 4.5) for seed in range(8)}
    compared = compare_errors(relative_errors(solutions(found)), "fixed")
    labels = {"fixed": "Fixed", "layer": "L-LAAF"}
    table = readable_errors(compared, labels, {"mine": "Mine"}, "fixed")
    assert table["activation"].tolist() == ["Fixed", "L-LAAF"]
    ratios = table["ratio to Fixed [95 %]"]
    assert ratios[0] == "1"
    assert ratios[1].endswith("▼")


def test_a_missing_baseline_is_an_error():
    errors = relative_errors(solutions({("layer", 0): (3, 4)}))
    with pytest.raises(ValueError, match="a run has no partner of the baseline 'fixed'"):
        compare_errors(errors, "fixed")
