"""The command `poisson`: its tables, its summary, and its mistakes in one line."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from hrta.cli import poisson as cli_poisson
from hrta.problems.poisson import make_problem
from hrta.study.experiments.poisson import SIDE, ritz_table

SMALL = "--width 6 --stage-steps 5 --log-every 2 --seeds 2"


def poisson(command):
    """The command in this process; what it raises is `.exception`."""
    return CliRunner().invoke(cli_poisson.app, [str(part) for part in command])


def test_it_writes_what_the_package_computes(tmp_path):
    runs, solutions = tmp_path / "runs.parquet", tmp_path / "solutions.parquet"
    options = "--problem product --quadrature monte_carlo --points 7 --experiment mine --decay 0.5"
    options += " --method relu2=1,1 --method late=0.5,1.5 --learning-rate 0.01 --learning-rate 0.1"
    files = ["--output", runs, "--solutions", solutions]
    done = poisson([*SMALL.split(), *options.split(), *files])
    assert done.exception is None, done.output
    methods = {"relu2": [1.0, 1.0], "late": [0.5, 1.5]}
    rest = (range(2), [0.01, 0.1], 6, 7, "monte_carlo", 5, 0.5, 2)
    expected = ritz_table(make_problem("product"), "mine", methods, *rest)
    for file, table in zip((runs, solutions), expected, strict=True):
        pd.testing.assert_frame_equal(pd.read_parquet(file), table)
    record = json.loads(runs.with_suffix(".json").read_text())
    assert (record["device"], record["dtype"]) == ("cpu", "float32")
    assert record["arguments"]["methods"] == methods
    assert record["arguments"]["quadrature"] == "monte_carlo"


def test_without_files_it_says_what_the_runs_come_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = poisson([*SMALL.split(), "--problem", "cosines3d", "--points", "8"])
    assert done.exception is None, done.output
    assert "where the runs ended, median over 2 seeds" in done.stdout
    for word in ("relu2", "homotopy", "relaxation", "relaxed", "l2_error", "h1_error", "energy"):
        assert word in done.stdout
    assert not list(tmp_path.iterdir())


def test_there_are_as_many_points_on_the_plane_kept_as_said(tmp_path):
    solutions = tmp_path / "solutions.parquet"
    assert poisson([*SMALL.split(), "--solutions", solutions]).exception is None
    assert len(pd.read_parquet(solutions)) == 4 * SIDE**2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--problem square", "unknown Poisson problem 'square'; there are cosines, product, cos"),
        ("--points 399", "grid: points = 399 must be k^2 with a whole k >= 1"),
        ("--problem cosines3d", "grid: points = 400 must be k^3 with a whole k >= 1"),
        ("--method relu2", "--method 'relu2' must be NAME=S,S,..."),
        ("--method a=1,3", "--method a: '1,3' must lie in [0, 2]"),
        ("--method a=1 --method b=1,1", "all schedules need the same number of steps"),
        ("--learning-rate 0", "learning_rate must be a positive number"),
        ("--decay 0", "decay must be in (0, 1]; it is 0"),
        ("--output runs.csv", "--output runs.csv: it must be a file *.parquet"),
        ("--output a.parquet --solutions a.parquet", "it is asked for twice"),
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


def test_quadratures_are_those_of_the_package():
    done = poisson(["--quadrature", "simpson"])
    assert done.exit_code == 2
    assert "'simpson' is not one of 'grid', 'monte_carlo'" in done.output
