from itertools import product

import pandas as pd
import pytest
import torch
from job_examples import stored, training_spec

from hrta import Schedule, TwoLayer, train
from hrta.study.config.mistakes import ConfigError, checked
from hrta.study.config.training import TrainingSpec
from hrta.study.experiments.ensembles import run

COLUMNS = "experiment problem width method optimizer learning_rate seed step stage s loss test_loss"


@pytest.fixture
def spec(small_problem):
    return training_spec(stored(small_problem), decay=0.5, dtype="float64")


def test_each_run_is_its_method_from_its_seed(small_problem, spec):
    outcome = run(spec)
    results = outcome.table
    assert list(results.columns) == COLUMNS.split()
    assert outcome.facts == {"engine": "numba", "diverged": []}
    assert (outcome.device, outcome.dtype, outcome.second) == ("cpu", "float64", None)
    assert len(results) == 2 * 2 * 3 * 4
    runs = results.set_index(["method", "learning_rate", "seed"])
    for method, rate, seed in product(spec.methods, [0.01, 0.03], range(3)):
        alone = train(
            small_problem,
            TwoLayer.initialise([seed], 2, 11, dtype=torch.float64),
            Schedule.constant_length(spec.methods[method], 6),
            learning_rate=rate,
            decay=0.5,
            log_every=4,
        ).history.drop(columns="run")
        rows = runs.loc[(method, rate, seed)]
        pd.testing.assert_frame_equal(rows[alone.columns].reset_index(drop=True), alone)
    assert set(results["experiment"]) == {"mine"}
    assert set(results["problem"]) == {"small"}
    assert set(results["width"]) == {11}


def test_methods_start_alike(spec):
    results = run(spec).table
    first = results[results["step"] == 0].pivot(
        index=["learning_rate", "seed"], columns="method", values="loss"
    )
    assert first["relu"].equals(first["relaxation"].rename("relu"))


def test_diverged_runs_are_named(spec):
    outcome = run(
        spec.model_copy(update={"learning_rates": [1e200], "optimizer": "gradient_descent"})
    )
    assert outcome.facts["diverged"] == [
        {"method": method, "learning_rate": 1e200, "seed": seed, "step": 1}
        for method in spec.methods
        for seed in range(3)
    ]
    assert outcome.table["loss"].iloc[0] > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "half"}, "dtype: 'half' given; must be 'float32' or 'float64'"),
        ({"device": "tpu"}, "device: 'tpu' given; must be 'auto', 'cpu' or 'cuda'"),
        ({"engine": "fast"}, "engine: 'fast' given; must be 'auto', 'torch', 'numba' or 'triton'"),
    ],
)
def test_unknown_dtype_device_and_engine_are_refused(spec, changes, message):
    with pytest.raises(ConfigError, match=message):
        checked(TrainingSpec, spec.model_dump() | changes, "spec")
