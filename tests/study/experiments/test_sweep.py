"""A sweep has the numbers of its ensembles one by one; its tables and its figure show them."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from hrta.cli import sweep as cli_sweep
from hrta.problems.targets import make_problem
from hrta.study.analysis import sweep as sweep_tables
from hrta.study.analysis.comparison import final_losses
from hrta.study.analysis.figures import sweep as sweep_plots
from hrta.study.experiments.ensembles import Ensemble, train_ensemble
from hrta.study.experiments.sweep import train_all

PROBLEMS = {"sine1d": make_problem("sine1d", 20, 10), "sine3d": make_problem("sine3d", 27, 10)}
PATHS = {"relu": [1, 1], "late": [0.5, 1.5]}
LABELS = {"relu": "1", "late": "1/2 → 3/2"}
OPTIMIZERS = {"gradient_descent": "Gradient descent"}
EXPERIMENTS = {"sine1d": "sin(2πx)", "sine3d": "three"}
WORDS = ["experiment", "problem", "method", "optimizer"]


def ensemble(experiment, width, rate, method):
    options = {"stage_steps": 30, "seeds": range(3), "log_every": 7, "decay": 0.5}
    options |= {"optimizer": "gradient_descent"}
    return Ensemble(experiment, width, {method: PATHS[method]}, learning_rates=[rate], **options)


GRID = [
    (PROBLEMS[experiment], ensemble(experiment, width, rate, method))
    for experiment in PROBLEMS
    for width in (3, 8)
    for rate in (0.01, 1e6)
    for method in PATHS
]


@pytest.fixture(scope="module")
def swept():
    return train_all(GRID)


@pytest.fixture(scope="module")
def final(swept):
    return final_losses(swept[0])


def test_the_numbers_are_those_of_single_ensembles_bit_for_bit(swept):
    alone = [train_ensemble(problem, each)[0] for problem, each in GRID]
    together = swept[0]
    assert list(together.columns) == list(alone[0].columns)
    assert together.dtypes.drop(WORDS).equals(alone[0].dtypes.drop(WORDS))
    expected = pd.concat(alone, ignore_index=True)
    for name in together:
        assert together[name].astype(expected[name].dtype).equals(expected[name]), name
    assert all(together[name].dtype == "category" for name in WORDS)
    assert list(together["method"].cat.categories) == ["relu", "late"]


def test_what_diverged_is_recorded_with_its_ensemble(swept):
    _, facts = swept
    assert facts["engine"] == "numba"
    assert facts["diverged"]
    for run in facts["diverged"]:
        assert run["learning_rate"] == 1e6
        assert set(run) == {"experiment", "width", "method", "learning_rate", "seed", "step"}
        alone = next(
            each
            for _, each in GRID
            if (each.experiment, each.width) == (run["experiment"], run["width"])
            and each.learning_rates == [1e6]
            and run["method"] in each.methods
        )
        _, expected = train_ensemble(PROBLEMS[run["experiment"]], alone)
        of = {key: run[key] for key in ("method", "learning_rate", "seed", "step")}
        assert of in expected["diverged"]


def test_progress_is_told_and_nothing_is_refused():
    told = []
    train_all(GRID[:2], progress=lambda done, every: told.append((done, every)))
    assert told == [(0, 2), (1, 2), (2, 2)]
    with pytest.raises(ValueError, match="at least one ensemble"):
        train_all([])


def sweep(*command):
    """The command in this process; what it raises is `.exception`."""
    return CliRunner().invoke(cli_sweep.app, [str(part) for part in command])


def test_the_command_writes_what_train_would(tmp_path):
    output = tmp_path / "batch.parquet"
    options = "--stage-steps 20 --seeds 2 --log-every 5 --optimizer nesterov --momentum 0.8"
    done = sweep(
        *("--ensemble", "sine1d:5:0.01:relu", "--ensemble", "sine3d:4:0.1:late"),
        *("--method", "relu=1,1", "--method", "late=0.5,1.5", "--device", "cpu"),
        *(*options.split(), "--output", output),
    )
    assert done.exception is None, done.output
    common = {"stage_steps": 20, "seeds": range(2), "log_every": 5, "momentum": 0.8}
    common |= {"optimizer": "nesterov"}
    alone = [
        train_ensemble(
            make_problem(name, None, 200),
            Ensemble(name, width, {method: PATHS[method]}, learning_rates=[rate], **common),
        )[0]
        for name, width, rate, method in (("sine1d", 5, 0.01, "relu"), ("sine3d", 4, 0.1, "late"))
    ]
    written = pd.read_parquet(output)
    for name in ("loss", "test_loss", "s", "step", "seed", "width"):
        assert written[name].equals(pd.concat(alone, ignore_index=True)[name])
    record = json.loads(output.with_suffix(".json").read_text())
    assert record["arguments"]["ensembles"] == ["sine1d:5:0.01:relu", "sine3d:4:0.1:late"]
    assert (record["device"], record["dtype"], record["engine"]) == ("cpu", "float32", "numba")


def test_without_a_file_the_command_says_where_runs_ended(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = sweep("--ensemble", "sine1d:5:0.01:relu", "--stage-steps", 5, "--seeds", 2)
    assert done.exception is None, done.output
    assert "median final losses over 2 seeds" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--ensemble sine1d:5:0.01", "must be PROBLEM:WIDTH:LEARNING_RATE:METHOD"),
        ("--ensemble sine1d:five:0.01:relu", "must be PROBLEM:WIDTH:LEARNING_RATE:METHOD"),
        ("--ensemble sine1d:0:0.01:relu", "the width must be at least 1"),
        ("--ensemble sine1d:5:0.01:mine", "method 'mine' given; there are relu, homotopy, relax"),
        ("--ensemble cosine:5:0.01:relu", "unknown problem 'cosine'"),
        ("--ensemble sine1d:5:-1:relu", "learning_rate must be a positive number"),
        ("--ensemble sine1d:5:1:relu --output a.csv", "it must be a file *.parquet"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = sweep(*arguments.split(), "--stage-steps", 5, "--seeds", 2)
    assert isinstance(done.exception, ValueError)
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_a_cell_is_the_median_over_its_seeds(final):
    table = sweep_tables.cells(final)
    assert len(table) == len(GRID)
    assert set(table["seeds"]) == {3}
    row = table[(table["width"] == 8) & (table["learning_rate"] == 0.01)].iloc[0]
    here = final.merge(row.to_frame().T[["experiment", "method", "width", "learning_rate"]])
    assert row["loss"] == sorted(here["loss"])[1]
    assert row["low"] <= row["loss"] <= row["high"]
    diverged = table[table["learning_rate"] == 1e6]
    assert diverged["diverged"].sum() == np.isinf(final["loss"]).sum()


def test_for_people_each_method_is_at_its_best_learning_rate(final):
    table = sweep_tables.at_their_best(final, LABELS, OPTIMIZERS, EXPERIMENTS)
    assert list(table.columns) == ["problem", "optimizer", "method", "m = 3", "m = 8"]
    assert table["method"].tolist() == ["1", "1/2 → 3/2"] * 2
    assert table["problem"].tolist() == ["sin(2πx)"] * 2 + ["three"] * 2
    median = final[
        (final["experiment"] == "sine1d")
        & (final["method"] == "late")
        & (final["width"] == 8)
        & (final["learning_rate"] == 0.01)
    ]["loss"].median()
    assert table.loc[1, "m = 8"] == f"{median:.2e} (0.01)"


def test_the_figure_shows_the_medians_and_marks_the_lowest(final):
    figure = sweep_plots.loss_over_grid(final, LABELS, OPTIMIZERS, EXPERIMENTS)
    images = [axis for axis in figure.axes if axis.get_images()]
    assert [axis.get_title() for axis in images[:2]] == ["m = 3", "m = 8"]
    assert len(images) == 4
    shown = images[1].get_images()[0].get_array()
    cell = final[(final["experiment"] == "sine1d") & (final["width"] == 8)]
    medians = cell.groupby(["method", "learning_rate"], observed=True)["loss"].median().unstack()
    expected = medians.loc[list(LABELS)].to_numpy()
    assert np.array_equal(np.ma.getmaskarray(shown), np.isinf(expected))
    assert np.array_equal(shown.compressed(), expected[np.isfinite(expected)])
    (mark,) = images[1].get_lines()
    row, column = int(mark.get_ydata()[0]), int(mark.get_xdata()[0])
    assert expected[row, column] == expected.min()
    assert images[0].get_images()[0].get_clim() == images[1].get_images()[0].get_clim()
