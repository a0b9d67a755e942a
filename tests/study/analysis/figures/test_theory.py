"""The figures of the theory show the numbers that they are given."""

import numpy as np
import pandas as pd
import pytest

from hrta.study.analysis import theory as theory_statistics
from hrta.study.analysis.figures import theory as theory_plots
from hrta.study.config.problem_sources import SampledProblem
from hrta.study.config.theory import (
    MotionSpec,
    RatesSpec,
    SampleNumberSpec,
    SpectraSpec,
    WidthLimitSpec,
)
from hrta.study.experiments import kernel_motion, rates, sample_number, spectra, width_limit

MINE = {"experiment": "mine", "problem": SampledProblem(name="sine1d", points=12)}
METHODS = {"relu": [1, 1], "relaxation": [1, 1.5]}
LABELS = {"relu": "ReLU", "relaxation": "HRTA"}


def lines(axis):
    """The data of every labelled line by its label."""
    drawn = axis.get_lines()
    return {line.get_label(): line.get_xydata() for line in drawn if line.get_label()[0] != "_"}


def test_conditioning_shows_gain_and_honest_gain():
    spec = SpectraSpec(**MINE, s=[0, 0.5, 1, 2], widths=[], seeds=1)
    table = theory_statistics.conditioning(spectra.run(spec).table)
    figure = theory_plots.conditioning_against_s(table, {"mine": "Mine"})
    gain = lines(figure.axes[2])["λₘᵢₙ(s)/λₘᵢₙ(1)"]
    np.testing.assert_allclose(gain[:, 0], [0.5, 1, 2])
    np.testing.assert_allclose(gain[:, 1], table["gain"].iloc[1:])


def test_width_limit_shows_medians():
    table = width_limit.run(WidthLimitSpec(**MINE, s=[1], widths=[20, 40, 80], seeds=3)).table
    figure = theory_plots.kernel_error_against_width(table, {"mine": "Mine"})
    medians = table.groupby("width")["kernel_error"].median()
    np.testing.assert_allclose(lines(figure.axes[0])["s = 1"], medians.reset_index().to_numpy())
    slope = np.log(lines(figure.axes[0])["slope −1/2"])
    assert np.ptp(slope[:, 1]) == pytest.approx(np.ptp(slope[:, 0]) / 2)


def test_sample_number_shows_both_extremes():
    problems = [SampledProblem(name="sine1d", points=n) for n in (5, 10)]
    spec = SampleNumberSpec(experiment="mine", problems=problems, s=[1])
    table = sample_number.run(spec).table
    figure = theory_plots.extremes_against_points(table, {"mine": "Mine"})
    for axis, extreme in zip(figure.axes, ("smallest", "largest"), strict=True):
        np.testing.assert_allclose(lines(axis)["s = 1"][:, 1], table[extreme])


def test_motion_is_shown_against_width_and_steps():
    spec = MotionSpec(
        **MINE,
        methods=METHODS,
        widths=[10, 20],
        seeds=2,
        stage_steps=8,
        optimizer="gradient_descent",
        learning_rate=0.1,
    )
    table = kernel_motion.run(spec).table
    optimizers = {"gradient_descent": "Gradient descent"}
    against_width = theory_plots.motion_against_width(table, LABELS, optimizers)
    end = table[(table["step"] == 16) & (table["method"] == "relaxation")]
    medians = end.groupby("width")["kernel_change"].median()
    shown = lines(against_width.axes[0])["HRTA"]
    np.testing.assert_allclose(shown, medians.reset_index().to_numpy())
    against_steps = theory_plots.motion_against_steps(table, LABELS, optimizers, 20)
    switch = [line.get_xdata()[0] for line in against_steps.axes[0].get_lines()][-1]
    assert switch == 8


def test_loss_stands_beside_prediction_and_bound():
    spec = RatesSpec(
        **MINE,
        methods=METHODS,
        widths=[10, 20],
        seeds=3,
        stage_steps=20,
        learning_rate=0.1,
        log_every=5,
    )
    table = rates.run(spec).table
    figure = theory_plots.loss_and_bound(table, LABELS)
    assert len(figure.axes) == 4
    here = table[(table["width"] == 20) & (table["method"] == "relaxation")]
    medians = here.groupby("step")[["loss", "predicted", "bound"]].median()
    shown = lines(figure.axes[3])
    for label, column in zip(("measured", "linearised", "bound"), medians, strict=True):
        np.testing.assert_allclose(shown[label][:, 1], medians[column])
    assert isinstance(table, pd.DataFrame)
