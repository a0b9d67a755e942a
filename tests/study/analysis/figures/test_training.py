import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from job_examples import stored, training_spec

from hrta.study.analysis.figures import training as plots
from hrta.study.analysis.figures.style import save_figure
from hrta.study.analysis.final import at_learning_rates, final_losses
from hrta.study.analysis.intervals import median_interval
from hrta.study.experiments import ensembles

mpl.use("agg")

METHODS = {"relu": "ReLU", "relaxation": "HRTA 1 → 3/2"}
OPTIMIZERS = {"adam": "Adam"}
FIRST = {"adam": 0.001}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def history(small_problem):
    """Both methods at two widths and two learning rates on four seeds."""
    shared = {"stage_steps": 10, "seeds": 4, "learning_rates": [0.001, 0.01], "log_every": 10}
    specs = [training_spec(stored(small_problem), width=width, **shared) for width in (5, 20)]
    return pd.concat([ensembles.run(spec).table for spec in specs], ignore_index=True)


@pytest.mark.parametrize("loss", ["loss", "test_loss"])
def test_loss_curves_show_the_median_over_seeds_and_the_switch(history, loss):
    history = at_learning_rates(history, FIRST)
    figure = plots.loss_curves(history, METHODS, OPTIMIZERS, loss)
    assert [axis.get_title() for axis in figure.axes] == ["Adam\nwidth m = 5", "width m = 20"]
    relu, relaxation, switch = figure.axes[1].get_lines()
    for line, method in ((relu, "relu"), (relaxation, "relaxation")):
        runs = history[(history["method"] == method) & (history["width"] == 20)]
        by_step = runs.pivot(index="step", columns="seed", values=loss)
        np.testing.assert_allclose(line.get_ydata(), np.median(by_step, axis=1), rtol=1e-12)
    assert list(switch.get_xdata()) == [10, 10]
    assert figure.axes[0].get_yscale() == "log"


def test_width_figure_shows_the_final_medians(history):
    history = at_learning_rates(history, FIRST)
    final = final_losses(history, 0.01)
    figure = plots.loss_against_width(final, METHODS, OPTIMIZERS, {"mine": "my problem"})
    (axis,) = figure.axes
    end = history[history["step"] == 20]
    for container, method in zip(axis.containers, METHODS, strict=True):
        line, _, (bars,) = container
        expected = [
            median_interval(end.loc[(end["method"] == method) & (end["width"] == m), "loss"])
            for m in (5, 20)
        ]
        np.testing.assert_allclose(line.get_ydata(), [cell[0] for cell in expected])
        shown = [sorted(segment[:, 1]) for segment in bars.get_segments()]
        np.testing.assert_allclose(shown, [cell[1:] for cell in expected])


def test_learning_rate_figure_shows_the_final_medians(history):
    figure = plots.loss_against_learning_rate(final_losses(history, 0.01), METHODS, OPTIMIZERS)
    assert [axis.get_title() for axis in figure.axes] == ["Adam\nwidth m = 5", "width m = 20"]
    end = history[(history["step"] == 20) & (history["width"] == 20)]
    for container, method in zip(figure.axes[1].containers, METHODS, strict=True):
        runs = end[end["method"] == method].groupby("learning_rate")["loss"]
        np.testing.assert_allclose(container[0].get_ydata(), runs.median())
        np.testing.assert_allclose(container[0].get_xdata(), [0.001, 0.01], rtol=0.2)
    labels = [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert labels == ["0.001", "0.01"]


def test_what_an_experiment_does_not_have_is_left_out(history):
    history = at_learning_rates(history, FIRST)
    other = history[(history["method"] == "relu") & (history["width"] == 5)]
    other = other.assign(experiment="other", optimizer="nesterov", width=7)
    both = final_losses(pd.concat([history, other], ignore_index=True))
    experiments = {"mine": "my problem", "other": "another"}
    optimizers = OPTIMIZERS | {"nesterov": "Nesterov"}
    figure = plots.loss_against_width(both, METHODS, optimizers, experiments)
    assert [len(axis.containers) for axis in figure.axes] == [2, 0, 0, 1]
    labels = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert labels == ["5", "7", "20"]
    figure.draw_without_rendering()


def test_diverged_runs_neither_warn_nor_vanish(history):
    diverged = history.copy()
    runs = (diverged["method"] == "relu") & (diverged["seed"] < 3) & (diverged["step"] > 10)
    diverged.loc[runs, "loss"] = np.inf
    curves = plots.loss_curves(diverged, METHODS, OPTIMIZERS)
    shown = curves.axes[0].get_lines()[0].get_ydata()
    assert np.isfinite(shown[:2]).all()
    assert not np.isfinite(shown[2:]).any()
    final = final_losses(diverged)
    plots.loss_against_width(final, METHODS, OPTIMIZERS, {"mine": "my problem"})
    plots.loss_against_learning_rate(final, METHODS, OPTIMIZERS)


def test_saved_figures_are_whole_and_the_same_each_time(tmp_path, history):
    for name in ("a", "b"):
        save_figure(plots.loss_curves(history, METHODS, OPTIMIZERS), tmp_path / name)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a.pdf", "a.png", "b.pdf", "b.png"}
    for suffix in ("pdf", "png"):
        first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
        assert first == second
