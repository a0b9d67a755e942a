import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from job_examples import stored

from hrta import Problem, ntk
from hrta.ntk.eigenvalues import spectrum
from hrta.study.analysis.figures import spectra as plots
from hrta.study.config.theory import SpectraSpec
from hrta.study.experiments import spectra as eigenvalues

mpl.use("agg")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


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
