import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from job_examples import stored, training_spec

from hrta import Problem, ntk
from hrta.ntk.eigenvalues import spectrum
from hrta.study.analysis.comparison import at_learning_rates, final_losses, median_interval
from hrta.study.analysis.figures import paper as plots
from hrta.study.config.theory_specs import SpectraSpec
from hrta.study.experiments import ensembles
from hrta.study.experiments import spectra as eigenvalues

mpl.use("agg")

METHODS = {"relu": "ReLU", "relaxation": "HRTA 1 → 3/2"}
OPTIMIZERS = {"adam": "Adam"}
FIRST = {"adam": 0.001}


@pytest.fixture
def history(small_problem):
    """Both methods at two widths and two learning rates on four seeds."""
    shared = {"stage_steps": 10, "seeds": 4, "learning_rates": [0.001, 0.01], "log_every": 10}
    specs = [training_spec(stored(small_problem), width=width, **shared) for width in (5, 20)]
    return pd.concat([ensembles.run(spec).table for spec in specs], ignore_index=True)


def test_activations_show_value_and_slope():
    figure = plots.activation_family([0, 1, 2])
    value, slope = figure.axes
    for line, s in zip(value.get_lines(), [0, 1, 2], strict=True):
        z, shown = line.get_data()
        np.testing.assert_allclose(shown, (1 - s) * z + s * np.maximum(z, 0), atol=1e-15)
    for line, s in zip(slope.get_lines(), [0, 1, 2], strict=True):
        z, shown = line.get_data()
        np.testing.assert_allclose(shown[z < -1e-9], 1 - s)
        np.testing.assert_allclose(shown[z > 1e-9], 1)
        assert np.isnan(shown).sum() == 1  # the jump is no line


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


@pytest.fixture
def spectra(small_problem):
    return all_eigenvalues(small_problem, [0, 0.5, 1, 2], [50])


def all_eigenvalues(problem, s, widths):
    spec = SpectraSpec(experiment="mine", problem=stored(problem), s=s, widths=widths, seeds=3)
    return eigenvalues.run(spec).table


def test_eigenvalue_figure_shows_the_extremes(spectra, small_problem):
    figure = plots.eigenvalues_against_s(spectra, {"mine": "my problem"})
    for axis, index, first in zip(figure.axes, (0, -1), (0.5, 0), strict=True):
        finite, infinite = axis.get_lines()
        s, shown = infinite.get_data()
        assert len(finite.get_xdata()) == len(s) == 4
        s, shown = s[np.isfinite(shown)], shown[np.isfinite(shown)]
        assert s[0] == first  # at s = 0 the smallest eigenvalue is 0
        expected = [spectrum(ntk.gram(small_problem.x, value))[index] for value in s]
        np.testing.assert_allclose(shown, expected, rtol=1e-12)


def test_eigenvalue_figure_names_the_widths_that_are_singular(spectra):
    zero = spectra.assign(
        eigenvalue=spectra["eigenvalue"].where(
            (spectra["kernel"] == "infinite") | (spectra["index"] > 0), 0
        )
    )
    smallest, largest = plots.eigenvalues_against_s(zero, {"mine": "my problem"}).axes
    assert [text.get_text() for text in smallest.texts] == ["0 for m =\n50"]
    assert len(smallest.get_lines()) == 1
    assert not largest.texts


def test_spectrum_figure_shows_all_eigenvalues_in_order(spectra, small_problem):
    figure = plots.whole_spectra(spectra, {"mine": "my problem"}, [0, 1])
    zero, one = figure.axes[0].get_lines()
    assert len(zero.get_ydata()) == 3  # the rank of the points with their bias
    expected = spectrum(ntk.gram(small_problem.x, 1))[::-1]
    np.testing.assert_allclose(one.get_ydata(), expected)


def test_a_long_spectrum_is_a_line_without_markers():
    x = np.linspace(0, 1, 12)[:, None]
    table = all_eigenvalues(Problem("line", x, x[:, 0]), [1], [])
    (line,) = plots.whole_spectra(table, {"mine": "my problem"}, [1]).axes[0].get_lines()
    assert (line.get_marker(), len(line.get_ydata())) == ("None", 12)


def test_saved_figures_are_whole_and_the_same_each_time(tmp_path, history):
    for name in ("a", "b"):
        plots.save(plots.loss_curves(history, METHODS, OPTIMIZERS), tmp_path / name)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a.pdf", "a.png", "b.pdf", "b.png"}
    for suffix in ("pdf", "png"):
        first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in "ab")
        assert first == second


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plots.plt.close("all")
