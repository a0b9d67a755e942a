"""The command `poisson`: its tables, its summary, and its mistakes in one line."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from hrta.cli import commands
from hrta.study.config.poisson import PoissonSpec
from hrta.study.experiments.poisson import SIDE, run

SMALL = "--width 6 --stage-steps 5 --log-every 2 --seeds 2"


def poisson(command):
    """The command in this process; what it raises is `.exception`."""
    return CliRunner().invoke(commands.app, ["poisson", *(str(part) for part in command)])


def test_it_writes_what_the_package_computes(tmp_path):
    runs, solutions = tmp_path / "runs.parquet", tmp_path / "runs_solutions.parquet"
    options = "--problem product --quadrature monte_carlo --points 7 --experiment mine --decay 0.5"
    options += " --method relu2=1,1 --method late=0.5,1.5 --learning-rate 0.01 --learning-rate 0.1"
    done = poisson([*SMALL.split(), *options.split(), "--output", runs])
    assert done.exception is None, done.output
    methods = {"relu2": [1.0, 1.0], "late": [0.5, 1.5]}
    spec = PoissonSpec(
        experiment="mine",
        solution="product",
        methods=methods,
        points=7,
        quadrature="monte_carlo",
        width=6,
        stage_steps=5,
        learning_rates=[0.01, 0.1],
        decay=0.5,
        seeds=2,
        log_every=2,
    )
    expected = run(spec)
    pd.testing.assert_frame_equal(pd.read_parquet(runs), expected.table)
    pd.testing.assert_frame_equal(pd.read_parquet(solutions), expected.second)
    record = json.loads(runs.with_suffix(".json").read_text())
    assert (record["device"], record["dtype"]) == ("cpu", "float32")
    assert record["spec"] == spec.model_dump()


def test_without_files_it_says_what_the_runs_come_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = poisson([*SMALL.split(), "--problem", "cosines3d", "--points", "8"])
    assert done.exception is None, done.output
    assert "last row of each run, median over 2 seeds" in done.stdout
    for word in ("relu2", "homotopy", "relaxation", "relaxed", "l2_error", "h1_error", "energy"):
        assert word in done.stdout
    assert not list(tmp_path.iterdir())


def test_there_are_as_many_points_on_the_plane_kept_as_said(tmp_path):
    assert poisson([*SMALL.split(), "--output", tmp_path / "a.parquet"]).exception is None
    assert len(pd.read_parquet(tmp_path / "a_solutions.parquet")) == 4 * SIDE**2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--problem square", "name must be one of cosines, product, cosines3d; it is 'square'"),
        ("--points 399", "grid: points must be k^2 for an integer k >= 1; it is 399"),
        ("--problem cosines3d", "grid: points must be k^3 for an integer k >= 1; it is 400"),
        ("--method a=1,3", "methods.a.1: 3.0 given; must be less than or equal to 2"),
        ("--method a=1 --method b=1,1", "all schedules must have the same number of"),
        ("--learning-rate 0", "learning_rates.0: 0.0 given; must be greater than 0"),
        ("--output runs.csv", "--output runs.csv: must be a file *.parquet"),
        ("--decay 0", "decay: 0.0 given; must be greater than 0"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = poisson([*SMALL.split(), *arguments.split()])
    assert isinstance(done.exception, ValueError)
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)
    assert done.stdout == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--quadrature simpson", "'simpson' is not one of 'grid', 'monte_carlo'"),
        ("--method relu2", "'relu2' must be NAME=S,S,..."),
    ],
)
def test_a_mistake_in_an_option_names_it(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = poisson([*SMALL.split(), *arguments.split()])
    assert done.exit_code == 2
    assert f"Invalid value for '{arguments.split()[0]}'" in done.output
    assert message in done.output
    assert not list(tmp_path.iterdir())
