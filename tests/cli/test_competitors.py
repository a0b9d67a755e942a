import json
import shlex
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from command_line import hrta

from hrta.cli import main as cli
from hrta.problems import datasets
from hrta.study.experiments.alternation import anmin_table

ADAM = '{"method": {"trainer": "gradient", "optimizer": "adam", "s": [1, 1.5]}, "grid": %s}'
ADAM %= json.dumps({"learning_rate": [0.01, 0.1]})
RACE = f"race --entry {shlex.quote('mine=' + ADAM)}"


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
            "slopes --hidden 4,4 --steps 6 --log-every 3 --checkpoint 6 --seeds 2",
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
            f"{RACE} --entry {shlex.quote('other=' + ADAM)} --on iris:4:10 --on sine1d:4,5:10 "
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
    assert record["arguments"]
    shown = hrta(*shlex.split(command))
    assert shown.returncode == 0, shown.stderr
    assert "median over 2 seeds" in shown.stdout
    assert summary in shown.stdout


def test_a_command_computes_what_the_package_does(tmp_path):
    output = tmp_path / "table.parquet"
    command = "anmin --problem wine --width 6 --rounds 3 --ridge 0.1 --seeds 1"
    assert hrta(*command.split(), "--output", output).returncode == 0
    expected = anmin_table(datasets.load("wine"), 6, range(1), 3, 0.1)
    pd.testing.assert_frame_equal(pd.read_parquet(output), expected)


def test_second_tables_are_written_where_asked(tmp_path):
    tuning, solutions = tmp_path / "tuning.parquet", tmp_path / "solutions.parquet"
    command = f"{RACE} --on iris:4:10 --tuning-seeds 2 --seeds 1 --tuning {tuning}"
    assert hrta(*shlex.split(command)).returncode == 0
    tuned = pd.read_parquet(tuning)
    assert len(tuned) == 4
    assert tuned.groupby("candidate")["chosen"].all().sum() == 1
    command = f"slopes --hidden 4 --steps 4 --checkpoint 2 --seeds 1 --solutions {solutions}"
    assert hrta(*command.split()).returncode == 0
    found = pd.read_parquet(solutions)
    assert set(found["step"]) == {2}
    assert len(found) == 3 * 300


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
        ("anmin --ridge 0", "anmin: ridge = 0 is not a positive number"),
        ("anmin --leak 1", "anmin: leak = 1 is outside [0, 1)"),
        ("anmin --width 100000 --points 200000 --seeds 1", "GiB needed"),
        ("anmin --csv none.csv --target y", "none.csv: there is no such file"),
        ("lbfgs --evaluations 0", "Invalid value for '--evaluations'"),
        ("lbfgs --learning-rate -1", "lbfgs: learning_rate must be a positive number; it is -1"),
        ("lbfgs --s 3", "lbfgs: s must be in [0, 2]; it is 3"),
        ("laaf --hidden 50,x", "--hidden: '50,x' must be whole numbers with commas between"),
        ("laaf --activation gelu", "'gelu' is not one of 'tanh', 'relu'"),
        ("laaf --scale 0.5", "laaf: scale = 0.5 is below 1"),
        ("slopes --variant fixed", "--variant 'fixed' must be NAME=ADAPTIVE,RECOVERY"),
        ("slopes --variant a=layer,b", "--variant 'a=layer,b' must be NAME=ADAPTIVE,RECOVERY"),
        ("slopes --problem sine3d --seeds 1", "one input"),
        ("slopes --steps 5 --seeds 1", "checkpoint"),
        ("acceleration --step-fraction 2", "step_fraction = 2"),
        ("acceleration --problem iris --width 10 --seeds 1", "smallest eigenvalue"),
        ("race --entry a={} --on wine:5:10", "entry: method: field required"),
        ("race --entry a={", "Missing option '--on'"),
        ("race --entry {} --on wine:5:10", "--entry '{}' must be NAME=JSON"),
        (f"{RACE} {RACE.removeprefix('race ')} --on wine:5:10", "--entry 'mine' is there twice"),
        (f"{RACE} --on wine", "--on 'wine' must be PROBLEM:WIDTH,WIDTH,...:EVALUATIONS"),
        (f"{RACE} --on wine:0:10", "'0' must be whole numbers with commas between"),
        (f"{RACE} --on moon:5:10", "unknown problem 'moon'"),
        (
            f"{RACE} --on wine:5:10 --tuning a.parquet --output a.parquet",
            "it is asked for twice; give each table its own file",
        ),
        (f"{RACE} --on a.parquet:5:10 --output a.parquet", "and not the problem itself"),
        (f"{RACE} --on wine:5:10 --tuning a.csv", "it must be a file *.parquet"),
        ("train --problem digits_classes", "train: problem digits_classes has classes; only"),
        ("laaf --problem digits_classes", "train: problem digits_classes has classes"),
        ("lbfgs --problem digits_classes", "lbfgs: problem digits_classes has classes"),
        ("anmin --problem digits_classes", "anmin: problem digits_classes has classes"),
        ("train --batch-size 0", "batch_size must be an integer in [1, 100], the number of points"),
        ("train --batch-size 101", "the number of points; it is 101"),
        ("data iris --points 9 --output a.parquet", "--points: iris has its own; leave it out"),
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
