import json
import shlex
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from command_line import hrta

from hrta.anmin import train
from hrta.cli import main as cli
from hrta.networks.two_layer import TwoLayer
from hrta.problems import datasets

ADAM = '{"method": {"trainer": "gradient", "optimizer": "adam", "s": [1, 1.5]}, "grid": %s}'
ADAM %= json.dumps({"learning_rate": [0.01, 0.1]})
ANALYTIC = f"race {shlex.quote('{a: {method: {trainer: anmin}, grid: {ridge: [1]}}}')}"
RACE = f"race {shlex.quote('{mine: ' + ADAM + '}')}"


@pytest.mark.parametrize(
    ("command", "columns", "summary"),
    [
        (
            "anmin --width 8 --rounds 2 --seeds 2",
            "problem width seed round loss fixed_pattern_loss test_loss",
            "fixed_pattern_loss",
        ),
        (
            "lbfgs --width 8 --evaluations 20 --seeds 2",
            "seed step evaluations seconds loss test_loss",
            "evaluations",
        ),
        (
            "laaf --hidden 4,4 --steps 6 --log-every 3 --seeds 2 --adaptive neuron --recovery 1",
            "seed step loss test_loss",
            "step",
        ),
        (
            "slopes --hidden 4,4 --steps 6 --log-every 3 --solution-step 6 --seeds 2",
            "experiment problem variant seed step loss slope",
            "neuron",
        ),
        (
            "acceleration --points 27 --width 20 --steps 8 --log-every 4 --seeds 2",
            "experiment problem optimizer width seed step loss predicted travel smallest largest "
            "smallest_start learning_rate momentum",
            "nesterov",
        ),
        (
            f"{RACE} --problem iris --problem sine1d --width 4 --width 5 --evaluations 10 "
            "--tuning-seeds 1 --seeds 2",
            "problem width method seed step evaluations seconds answer loss test_loss",
            "learning_rate",
        ),
    ],
)
def test_a_command_writes_a_table_or_says_what_it_comes_to(tmp_path, command, columns, summary):
    output = tmp_path / "table.parquet"
    written = hrta(*shlex.split(command), "--output", output)
    assert written.returncode == 0, written.stderr
    assert written.stdout == ""
    table = pd.read_parquet(output)
    assert list(table) == columns.split()
    assert set(table["seed"].dropna()) == {0, 1}
    record = json.loads(output.with_suffix(".json").read_text())
    assert record["device"] == "cpu"
    assert record["spec"]["job"] == command.split()[0]
    shown = hrta(*shlex.split(command))
    assert shown.returncode == 0, shown.stderr
    assert "median over 2 seeds" in shown.stdout
    assert summary in shown.stdout


def test_a_command_computes_what_the_package_does(tmp_path):
    output = tmp_path / "table.parquet"
    command = "anmin --problem wine --width 6 --rounds 3 --ridge 0.1 --seeds 1"
    assert hrta(*command.split(), "--output", output).returncode == 0
    wine = datasets.load("wine")
    start = TwoLayer.initialise([0], wine.inputs, 6, torch.float64).inner[0].numpy()
    trained = train(wine.x, wine.y, start, 3, 0.1, test=(wine.x_test, wine.y_test))
    written = pd.read_parquet(output)
    np.testing.assert_array_equal(written["loss"], trained.losses)
    np.testing.assert_array_equal(written["test_loss"], trained.test_losses)


def test_second_tables_are_written_beside_the_first(tmp_path):
    rest = f"--output {tmp_path / 'a.parquet'}"
    command = f"{RACE} --problem iris --width 4 --evaluations 10 --tuning-seeds 2 --seeds 1 {rest}"
    assert hrta(*shlex.split(command)).returncode == 0
    tuned = pd.read_parquet(tmp_path / "a_tuning.parquet")
    assert len(tuned) == 4
    assert tuned.groupby("candidate")["chosen"].all().sum() == 1
    command = f"slopes --hidden 4 --steps 4 --solution-step 2 --seeds 1 {rest}"
    assert hrta(*command.split(), "--recovery", 0, "--recovery", 0.5).returncode == 0
    found = pd.read_parquet(tmp_path / "a_solutions.parquet")
    variants = {"none", "none_0.5", "layer", "layer_0.5", "neuron", "neuron_0.5"}
    assert set(found["variant"]) == variants
    assert set(found["step"]) == {2}
    assert len(found) == 6 * 300


def test_minibatches_and_fixed_outer_weights_reach_the_trainer(tmp_path):
    losses = {}
    for options in ("", "--batch-size 10", "--fixed-outer"):
        output = tmp_path / "runs.parquet"
        command = f"train --width 6 --stage-steps 20 --seeds 2 {options}"
        assert hrta(*command.split(), "--output", output).returncode == 0
        losses[options] = pd.read_parquet(output)["loss"].to_numpy()
    first, *others = losses.values()
    for other in others:
        assert not np.array_equal(first, other)


def test_real_data_are_written_as_a_problem(tmp_path):
    output = tmp_path / "iris.parquet"
    assert hrta("data", "iris", "--output", output).returncode == 0
    done = hrta("anmin", "--problem", output, "--width", "5", "--seeds", "1", "--rounds", "1")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("anmin --ridge 0", "anmin: ridge: 0.0 given; must be greater than 0"),
        ("anmin --leak 1", "anmin: leak: 1.0 given; must be less than 1"),
        ("anmin --width 100000 --points 200000 --seeds 1", "GiB needed"),
        ("anmin --csv none.csv --target y", "none.csv: there is no such file"),
        ("lbfgs --evaluations 0", "evaluations: 0 given; must be greater than or equal to 1"),
        ("lbfgs --learning-rate -1", "lbfgs: learning_rate: -1.0 given; must be greater than 0"),
        ("lbfgs --s 3", "lbfgs: s: 3.0 given; must be less than or equal to 2"),
        ("laaf --hidden 50,x", "'--hidden': '50,x' must be integers separated by commas"),
        ("laaf --activation gelu", "'gelu' is not one of 'tanh', 'relu'"),
        ("laaf --scale 0.5", "laaf: scale: 0.5 given; must be greater than or equal to 1"),
        ("slopes --adaptive all", "adaptive: 'all' given; must be 'none', 'layer' or 'neuron'"),
        ("slopes --recovery -1", "recovery: -1.0 given; must be greater than or equal to 0"),
        ("slopes --problem sine3d --seeds 1", "slopes: problem sine3d has 3 inputs"),
        ("slopes --steps 5 --seeds 1", "solution_steps: [2000, 8000, 15000] given; there are 5"),
        (
            "acceleration --step-fraction 2",
            "step_fraction: 2.0 given; must be less than or equal to 1",
        ),
        ("acceleration --problem iris --width 10 --seeds 1", "smallest must be positive"),
        ("race '{a: {}}'", "race: entries.a.method: Field required"),
        ("race '{a:'", "race: not YAML ("),
        ("race methods.yaml", "methods.yaml"),
        ("race", "Missing argument 'METHODS'"),
        ("race '{}'", "race: entries: {} given; dictionary should have at least 1 item"),
        (f"{ANALYTIC} --decay 0.5", "--decay has no effect in a race of anmin alone; leave it out"),
        (f"{ANALYTIC} --device cpu", "--device has no effect in a race of anmin alone"),
        (f"{RACE} --width 0", "problems.0.widths.0: 0 given; must be greater than or equal to 1"),
        (f"{RACE} --problem moon", "unknown problem 'moon'"),
        (f"{RACE} --problem digits_classes", "gradient of mine fits numbers"),
        (f"{RACE} --final-fraction 2", "final_fraction: 2.0 given; must be less than or equal"),
        (f"{RACE} --problem a.parquet --output a.parquet", "must not be a file that is read"),
        ("slopes --output a.csv", "must be a file *.parquet"),
        ("anmin --parent x", "Invalid value for '--parent'"),
        (
            "train --problem digits_classes",
            "train: targets must be numbers; problem digits_classes has",
        ),
        (
            "laaf --problem digits_classes",
            "train: targets must be numbers; problem digits_classes has",
        ),
        (
            "lbfgs --problem digits_classes",
            "lbfgs: targets must be numbers; problem digits_classes has",
        ),
        (
            "anmin --problem digits_classes",
            "anmin: targets must be numbers; problem digits_classes has",
        ),
        ("train --batch-size 0", "batch_size: 0 given; must be greater than or equal to 1"),
        ("train --batch-size 101", "the number of points; it is 101"),
        (
            "data iris --points 9 --output a.parquet",
            "--points: iris has a fixed number of points; leave it out",
        ),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["hrta", *shlex.split(arguments)])
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # main sets it
    monkeypatch.setattr(cli, "end_on_sigterm", lambda: None)
    with pytest.raises(SystemExit) as ended, warnings.catch_warnings(action="ignore"):
        cli.main()
    assert ended.value.code not in (0, None)
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line.startswith("hrta: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert said.out == ""
    assert not list(tmp_path.iterdir())
