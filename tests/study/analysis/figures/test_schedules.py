import matplotlib as mpl
import pandas as pd
import pytest
from race_examples import run

from hrta.study.analysis.figures import schedules as schedule_plots
from hrta.study.analysis.gains import with_parts

mpl.use("agg")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    schedule_plots.plt.close("all")


def test_curves_are_medians_over_seeds_in_the_panels_of_their_problems():
    parts = {
        "a": {"path": "plain", "optimizer": "Adam"},
        "b": {"path": "relaxed", "optimizer": "Adam"},
        "c": {"path": "other", "optimizer": "GD"},
    }
    runs = pd.concat(
        [
            *(run([1.0, loss, 0.1 * loss], "a", seed) for seed, loss in enumerate((2, 3, 7))),
            run([4.0, 5.0, 6.0], "b"),
            run([1.0, 1.0, 1.0], "c", problem="q"),
        ]
    )
    figure = schedule_plots.curves_of_paths(
        with_parts(runs, parts),
        {"plain": "as it was", "relaxed": "s = 3/2"},
        "optimizer",
        {"p": "Problem P", "q": "Problem Q"},
    )
    first = figure.axes[0]
    lines = {line.get_label(): line for line in first.get_lines()}
    assert lines["as it was"].get_xdata().tolist() == [0, 10, 20]
    assert lines["as it was"].get_ydata().tolist() == pytest.approx([1, 3, 0.3])
    assert lines["s = 3/2"].get_ydata().tolist() == [4, 5, 6]
    assert first.get_yscale() == "log"
    assert first.get_title() == "Problem P"
    assert figure.axes[2].get_ylabel().startswith("GD")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["as it was", "s = 3/2"]
