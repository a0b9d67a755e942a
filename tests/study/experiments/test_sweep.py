"""A sweep has the numbers of its ensembles one by one; its tables and its figure show them."""

import json

import numpy as np
import pandas as pd
import pytest
from job_examples import training_spec
from typer.testing import CliRunner

from hrta.cli import commands
from hrta.study.analysis import sweep as sweep_tables
from hrta.study.analysis.figures import sweep as sweep_plots
from hrta.study.analysis.final import final_losses
from hrta.study.config.mistakes import ConfigError, checked
from hrta.study.config.problem_sources import SampledProblem
from hrta.study.config.sweep import SweepSpec, SweptEnsemble
from hrta.study.experiments import ensembles
from hrta.study.experiments.sweep import run

PROBLEMS = {
    "sine1d": SampledProblem(name="sine1d", points=20, test_points=10),
    "sine3d": SampledProblem(name="sine3d", points=27, test_points=10),
}
PATHS = {"relu": [1, 1], "late": [0.5, 1.5]}
LABELS = {"relu": "1", "late": "1/2 → 3/2"}
OPTIMIZERS = {"gradient_descent": "Gradient descent"}
EXPERIMENTS = {"sine1d": "sin(2πx)", "sine3d": "three"}
WORDS = ["experiment", "problem", "method", "optimizer"]
GRID = [
    SweptEnsemble(experiment=experiment, width=width, learning_rate=rate, method=method)
    for experiment in PROBLEMS
    for width in (3, 8)
    for rate in (0.01, 1e6)
    for method in PATHS
]
TRAINING = {
    "stage_steps": 30,
    "optimizer": "gradient_descent",
    "decay": 0.5,
    "seeds": 3,
    "log_every": 7,
    "dtype": "float32",
    "device": "cpu",
    "engine": "auto",
}
SPEC = SweepSpec(ensembles=GRID, problems=PROBLEMS, methods=PATHS, **TRAINING)


def alone(each):
    """What one of them comes to in a job of its own."""
    changes = {
        "experiment": each.experiment,
        "width": each.width,
        "methods": {each.method: PATHS[each.method]},
        "learning_rates": [each.learning_rate],
    }
    return ensembles.run(training_spec(PROBLEMS[each.experiment], **TRAINING | changes))


@pytest.fixture(scope="module")
def swept():
    return run(SPEC)


@pytest.fixture(scope="module")
def final(swept):
    return final_losses(swept.table)


def test_the_numbers_are_those_of_single_ensembles_bit_for_bit(swept):
    tables = [alone(each).table for each in GRID]
    together = swept.table
    assert list(together.columns) == list(tables[0].columns)
    assert together.dtypes.drop(WORDS).equals(tables[0].dtypes.drop(WORDS))
    expected = pd.concat(tables, ignore_index=True)
    for name in together:
        assert together[name].astype(expected[name].dtype).equals(expected[name]), name
    assert all(together[name].dtype == "category" for name in WORDS)
    assert list(together["method"].cat.categories) == ["relu", "late"]


def test_what_diverged_is_recorded_with_its_ensemble(swept):
    assert swept.facts["engine"] == alone(GRID[0]).facts["engine"]
    assert (swept.device, swept.dtype) == ("cpu", "float32")
    assert swept.facts["diverged"]
    for each in swept.facts["diverged"]:
        assert each["learning_rate"] == 1e6
        assert set(each) == {"experiment", "width", "method", "learning_rate", "seed", "step"}
        names = ("experiment", "width", "learning_rate", "method")
        ensemble = SweptEnsemble(**{name: each[name] for name in names})
        assert ensemble in GRID
        shown = {key: each[key] for key in ("method", "learning_rate", "seed", "step")}
        assert shown in alone(ensemble).facts["diverged"]


def test_progress_counts_ensembles():
    told = []
    two = SPEC.model_copy(update={"ensembles": GRID[:2]})
    run(two, lambda done, every: told.append((done, every)))
    assert told == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ensembles": []}, "ensembles: [] given; list should have at least 1 item"),
        (
            {"methods": {"relu": [1, 1]}},
            "ensembles.1.method: 'late' given; allowed are relu",
        ),
        (
            {"problems": {"sine1d": PROBLEMS["sine1d"]}},
            "ensembles.8.experiment: 'sine3d' given; allowed are sine1d",
        ),
    ],
)
def test_ensembles_are_of_problems_and_methods_that_there_are(changes, message):
    with pytest.raises(ConfigError) as raised:
        checked(SweepSpec, SPEC.model_dump() | changes, "spec")
    assert message in str(raised.value)


def sweep(*command):
    """The command in this process; what it raises is `.exception`."""
    return CliRunner().invoke(commands.app, ["sweep", *(str(part) for part in command)])


def test_the_command_writes_what_train_would(tmp_path):
    options = "--stage-steps 20 --seeds 2 --log-every 5 --optimizer nesterov --momentum 0.8"
    options += " --problem sine1d --learning-rate 0.01 --device cpu"
    methods = "--method relu=1,1 --method late=0.5,1.5"
    output = tmp_path / "batch.parquet"
    done = sweep(*options.split(), *methods.split(), "--width", 5, "--width", 4, "--output", output)
    assert done.exception is None, done.output
    tables = []
    for width in (5, 4):
        for method in ("relu=1,1", "late=0.5,1.5"):
            command = ["train", *options.split(), "--width", str(width), "--method", method]
            file = tmp_path / "alone.parquet"
            trained = CliRunner().invoke(commands.app, [*command, "--output", str(file)])
            assert trained.exception is None, trained.output
            tables.append(pd.read_parquet(file))
    written, expected = pd.read_parquet(output), pd.concat(tables, ignore_index=True)
    for name in ("loss", "test_loss", "s", "step", "seed", "width"):
        assert written[name].equals(expected[name])
    record = json.loads(output.with_suffix(".json").read_text())
    assert record["spec"]["ensembles"][1] == {
        "experiment": "sine1d",
        "width": 5,
        "learning_rate": 0.01,
        "method": "late",
    }
    assert (record["device"], record["dtype"]) == ("cpu", "float32")


def test_without_a_file_the_command_says_where_runs_ended(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = sweep("--width", 5, "--stage-steps", 5, "--seeds", 2)
    assert done.exception is None, done.output
    assert "median final losses over 2 seeds" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--learning-rate -1", "learning_rate: -1.0 given; must be greater than 0"),
        ("--problem cosine", "unknown problem 'cosine'"),
        ("--method a=1,3", "methods.a.1: 3.0 given; must be less than or equal to 2"),
        ("--width 5 --decay 0", "decay: 0.0 given; must be greater than 0"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = sweep(*arguments.split(), "--stage-steps", 5, "--seeds", 2, "--output", "a.parquet")
    assert isinstance(done.exception, ValueError)
    assert message in str(done.exception).splitlines()[0]
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
