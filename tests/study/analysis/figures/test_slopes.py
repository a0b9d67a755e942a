"""The figures of adaptive activations show the numbers that they are given."""

import numpy as np
import pytest

from hrta.study.analysis.figures import slopes as laaf_plots
from hrta.study.analysis.slopes import relative_errors
from hrta.study.config.adaptive_slopes import SlopesSpec
from hrta.study.config.problem_sources import SampledProblem
from hrta.study.experiments.slopes import run

VARIANTS = {
    "fixed": {"adaptive": "none", "recovery": 0},
    "neuron": {"adaptive": "neuron", "recovery": 1.0},
}
LABELS = {"fixed": "Fixed", "neuron": "N-LAAF"}


@pytest.fixture(scope="module")
def tables():
    spec = SlopesSpec(
        experiment="mine",
        problem=SampledProblem(name="jump1d", points=15),
        variants=VARIANTS,
        hidden=[5, 4],
        activation="tanh",
        scale=10,
        steps=10,
        solution_steps=[4, 10],
        learning_rate=0.01,
        seeds=3,
        log_every=5,
    )
    outcome = run(spec)
    return outcome.table, outcome.second


def test_solutions_are_those_of_the_seed_with_the_median_error(tables):
    _, solutions = tables
    figure = laaf_plots.solutions_by_step(solutions, LABELS)
    assert [axis.get_title() for axis in figure.axes[:2]] == ["4 steps", "10 steps"]
    errors = relative_errors(solutions)
    last = errors[(errors["variant"] == "neuron") & (errors["step"] == 10)]
    median = last.set_index("seed")["error"].sort_values()
    here = solutions[(solutions["variant"] == "neuron") & (solutions["seed"] == median.index[1])]
    exact, shown = figure.axes[3].get_lines()
    end = here[here["step"] == 10]
    np.testing.assert_array_equal(shown.get_xydata(), end[["x1", "prediction"]])
    np.testing.assert_array_equal(exact.get_ydata(), end["y"])
    assert figure.axes[3].texts[0].get_text() == f"{100 * median.iloc[1]:.1f} %"


def test_curves_are_medians_and_the_shared_labels_those_of_the_variants(tables):
    errors, _ = tables
    figure = laaf_plots.loss_and_slope(errors, LABELS, {"mine": "Mine"})
    for axis, quantity in zip(figure.axes, ("loss", "slope"), strict=True):
        for line, variant in zip(axis.get_lines(), LABELS, strict=True):
            runs = errors[errors["variant"] == variant].groupby("step")[quantity]
            np.testing.assert_allclose(line.get_ydata(), runs.median())
            np.testing.assert_array_equal(line.get_xdata(), [0, 5, 10])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [*LABELS.values()]
