from itertools import product

import pandas as pd
import pytest
import torch

from hrta import Schedule, TwoLayer, train
from hrta.study.experiments.ensembles import Ensemble, choose_device, train_ensemble

COLUMNS = "experiment problem width method optimizer learning_rate seed step stage s loss test_loss"


@pytest.fixture
def ensemble():
    return Ensemble(
        experiment="mine",
        width=11,
        methods={"relu": [1, 1], "relaxation": [1, 1.5]},
        stage_steps=6,
        seeds=[0, 1, 5],
        learning_rates=[0.01, 0.03],
        decay=0.5,
        log_every=4,
        dtype="float64",
    )


def test_each_run_is_its_method_from_its_seed(small_problem, ensemble):
    results, facts = train_ensemble(small_problem, ensemble)
    assert list(results.columns) == COLUMNS.split()
    assert facts == {"engine": "numba", "diverged": []}
    assert len(results) == 2 * 2 * 3 * 4
    runs = results.set_index(["method", "learning_rate", "seed"])
    for method, rate, seed in product(ensemble.methods, [0.01, 0.03], ensemble.seeds):
        alone = train(
            small_problem,
            TwoLayer.initialise([seed], 2, 11, dtype=torch.float64),
            Schedule.constant_length(ensemble.methods[method], 6),
            learning_rate=rate,
            decay=0.5,
            log_every=4,
        ).history.drop(columns="run")
        run = runs.loc[(method, rate, seed)]
        pd.testing.assert_frame_equal(run[alone.columns].reset_index(drop=True), alone)
    assert set(results["experiment"]) == {"mine"}
    assert set(results["problem"]) == {"small"}
    assert set(results["width"]) == {11}


def test_methods_start_alike(small_problem, ensemble):
    results, _ = train_ensemble(small_problem, ensemble)
    first = results[results["step"] == 0].pivot(
        index=["learning_rate", "seed"], columns="method", values="loss"
    )
    assert first["relu"].equals(first["relaxation"].rename("relu"))


def test_diverged_runs_are_named(small_problem, ensemble):
    fast = Ensemble(
        **(vars(ensemble) | {"learning_rates": [1e200], "optimizer": "gradient_descent"})
    )
    results, facts = train_ensemble(small_problem, fast)
    assert facts["diverged"] == [
        {"method": method, "learning_rate": 1e200, "seed": seed, "step": 1}
        for method in ensemble.methods
        for seed in ensemble.seeds
    ]
    assert results["loss"].iloc[0] > 0


def test_unknown_dtype_and_device_are_refused(small_problem, ensemble):
    with pytest.raises(ValueError, match="unknown dtype 'half'; there are float32, float64"):
        train_ensemble(small_problem, Ensemble(**(vars(ensemble) | {"dtype": "half"})))
    with pytest.raises(ValueError, match="unknown device 'tpu'"):
        choose_device("tpu")


def test_auto_is_a_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto").type == "cpu"
    with pytest.raises(ValueError, match="no usable CUDA GPU"):
        choose_device("cuda")
