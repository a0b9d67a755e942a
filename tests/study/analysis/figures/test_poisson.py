"""The figures of the Poisson problem show the numbers that they are given."""

import numpy as np
import pytest

from hrta.study.analysis.figures import poisson as deep_ritz_plots
from hrta.study.analysis.poisson import with_gaps
from hrta.study.config.poisson import PoissonSpec
from hrta.study.experiments.poisson import SIDE, run

LABELS = {"relaxation": "HRTA 1 → 3/2", "relu2": "ReLU²"}


@pytest.fixture(scope="module")
def tables():
    spec = PoissonSpec(
        experiment="mine",
        solution="cosines",
        methods={"relu2": [1, 1], "relaxation": [1, 1.5]},
        points=16,
        quadrature="grid",
        width=8,
        stage_steps=10,
        learning_rates=[0.01],
        decay=1,
        seeds=3,
        log_every=5,
    )
    outcome = run(spec)
    return outcome.table, outcome.second


def test_maps_are_the_solutions_and_their_errors(tables):
    runs, solutions = tables
    figure = deep_ritz_plots.solutions_and_curves(solutions, runs, LABELS)
    maps = [axis for axis in figure.axes if axis.get_images()]
    assert [axis.get_title() for axis in maps[:3]] == ["exact", "HRTA 1 → 3/2", "ReLU²"]
    exact, *found = (axis.get_images()[0] for axis in maps[:3])
    errors = [axis.get_images()[0] for axis in maps[3:]]
    for method, values, error, axis in zip(LABELS, found, errors, maps[3:], strict=True):
        rows = solutions[solutions["method"] == method]
        at = rows[(rows["x1"] == rows["x1"].unique()[7]) & (rows["x2"] == rows["x2"].unique()[40])]
        assert values.get_array()[40, 7] == at["prediction"].iloc[0]
        assert exact.get_array()[40, 7] == at["exact"].iloc[0]
        difference = at["prediction"].iloc[0] - at["exact"].iloc[0]
        assert error.get_array()[40, 7] == pytest.approx(difference)
        square = ((rows["prediction"] - rows["exact"]) ** 2).mean() / (rows["exact"] ** 2).mean()
        assert axis.get_xlabel() == f"{100 * np.sqrt(square):.2g} %"
        assert values.get_array().shape == (SIDE, SIDE)
    low, high = errors[0].get_clim()
    assert low == -high
    assert {error.get_clim() for error in errors} == {(low, high)}
    assert high == max(np.abs(error.get_array()).max() for error in errors)
    assert {image.get_clim() for image in found} == {exact.get_clim()}


def test_curves_are_medians_over_seeds(tables):
    runs, solutions = tables
    runs = with_gaps(runs)
    beside = deep_ritz_plots.solutions_and_curves(solutions, runs, LABELS).axes
    alone = deep_ritz_plots.error_curves(runs, LABELS, {"mine": "Mine"})
    panels = {axis.get_ylabel(): axis for axis in (*beside, *alone.axes)}
    shown = {deep_ritz_plots.LOSS: "loss_gap"}
    shown |= {label: quantity for quantity, label in deep_ritz_plots.QUANTITIES.items()}
    for label, quantity in shown.items():
        lines = {line.get_label(): line for line in panels[label].get_lines()}
        for method, name in LABELS.items():
            over = runs[runs["method"] == method].groupby("step")[quantity].median()
            np.testing.assert_allclose(lines[name].get_ydata(), over)
            np.testing.assert_array_equal(lines[name].get_xdata(), [0, 5, 10, 15, 20])
        dotted = [line for line in panels[label].get_lines() if line.get_linestyle() == ":"]
        assert [line.get_xdata()[0] for line in dotted] == [10]
    assert alone.axes[0].get_title() == "Mine"
    assert [text.get_text() for text in alone.legends[0].get_texts()] == [*LABELS.values()]
