"""The figures about heavy ball and Nesterov show the numbers that they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hrta.study.analysis.figures import acceleration as acceleration_plots
from hrta.study.analysis.figures.style import COLUMN_WIDTH, save_figure
from hrta.study.config.acceleration import AccelerationSpec
from hrta.study.config.problem_sources import SampledProblem
from hrta.study.experiments import acceleration

EXPERIMENTS = {"corners": "Corners", "line": "Line"}
OPTIMIZERS = {"heavy_ball": "Heavy ball", "nesterov": "Nesterov"}


@pytest.fixture(scope="module")
def table():
    problems = {
        "corners": SampledProblem(name="sine3d", points=8),
        "line": SampledProblem(name="sine1d", points=5),
    }
    specs = [
        AccelerationSpec(
            experiment=name,
            problem=problem,
            widths=[20, 80],
            seeds=3,
            steps=30,
            step_fraction=0.5,
            log_every=5,
        )
        for name, problem in problems.items()
    ]
    return pd.concat([acceleration.run(spec).table for spec in specs], ignore_index=True)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def drawn(axis):
    """The data of every line by its label; those without one are the predictions, in order."""
    lines = axis.get_lines()
    named = {line.get_label(): line.get_xydata() for line in lines if line.get_label()[0] != "_"}
    return named, [line.get_xydata() for line in lines if line.get_label()[0] == "_"]


def test_losses_are_relative_medians_beside_the_theory(table):
    figure = acceleration_plots.loss_against_steps(table, EXPERIMENTS, OPTIMIZERS)
    assert figure.get_figwidth() == COLUMN_WIDTH
    assert [axis.get_title() for axis in figure.axes] == ["m = 20", "m = 80", "", ""]
    named, predicted = drawn(figure.axes[3])
    for (optimizer, label), theory in zip(OPTIMIZERS.items(), predicted, strict=True):
        runs = table.query(f"experiment == 'line' and width == 80 and optimizer == '{optimizer}'")
        for shown, column in ((named[label], "loss"), (theory, "predicted")):
            wide = runs.pivot(index="step", columns="seed", values=column)
            medians = (
                wide / runs.pivot(index="step", columns="seed", values="loss").loc[0]
            ).median(axis=1)
            np.testing.assert_allclose(shown, medians.reset_index().to_numpy(), rtol=1e-12)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "Heavy ball",
        "Nesterov",
        "linear theory",
    ]


def test_travel_is_that_of_the_last_step(table):
    figure = acceleration_plots.travel_against_width(table, EXPERIMENTS, OPTIMIZERS)
    assert [axis.get_title() for axis in figure.axes] == ["Corners", "Line"]
    named, _ = drawn(figure.axes[0])
    ends = table.query("experiment == 'corners' and step == 30 and optimizer == 'nesterov'")
    medians = ends.dropna(subset="travel").groupby("width")["travel"].median()
    shown = named["Nesterov"]
    np.testing.assert_allclose(shown[:, 1], medians)
    np.testing.assert_allclose(shown[:, 0], [20, 80])
    slope = np.log(named["slope −1/2"])
    assert np.ptp(slope[:, 1]) == pytest.approx(np.ptp(slope[:, 0]) / 2)


def test_figures_can_be_saved(table, tmp_path):
    figure = acceleration_plots.loss_against_steps(table, EXPERIMENTS, OPTIMIZERS)
    save_figure(figure, tmp_path / "figure")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".pdf", ".png"]
