import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from hrta.study.analysis.figures import gains as gain_plots

mpl.use("agg")

PROBLEMS = {"p": "Problem P", "q": "Problem Q"}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    gain_plots.plt.close("all")


def gained(ratios):
    """Rows of gains from the ratio of each problem, path and optimizer."""
    keys = pd.DataFrame(list(ratios), columns=["problem", "path", "optimizer"])
    for part in ("path", "optimizer"):
        keys[part] = pd.Categorical(keys[part], dict.fromkeys(keys[part]))
    ratio = np.array(list(ratios.values()))
    return keys.assign(ratio=ratio, ratio_low=ratio / 2, ratio_high=3 * ratio)


def test_every_ratio_stands_in_its_row_with_its_interval():
    ratios = {
        ("p", "far", "Adam"): 0.1,
        ("p", "near", "Adam"): 2.0,
        ("q", "near", "Adam"): 0.5,
        ("q", "near", "GD"): np.inf,
    }
    figure = gain_plots.gains_by_part(gained(ratios), "path", "optimizer", PROBLEMS, "ratio")
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["far", "near"]
    assert [axis.get_title() for axis in figure.axes] == ["Problem P", "Problem Q"]
    assert left.yaxis_inverted()
    points, _, (bars,) = left.containers[0]
    assert points.get_xdata().tolist() == [0.1, 2.0]
    assert np.round(points.get_ydata()).tolist() == [0, 1]
    for (low, high), ratio in zip(bars.get_segments(), (0.1, 2.0), strict=True):
        assert (low[0], high[0]) == pytest.approx((ratio / 2, 3 * ratio))
    # What is beyond the axes is drawn at their end.
    assert right.containers[1][0].get_xdata().tolist() == [gain_plots.WIDEST]
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["Adam", "GD"]
