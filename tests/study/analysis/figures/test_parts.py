import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from race_examples import run

from hrta.study.analysis.figures import parts as plots
from hrta.study.analysis.parts import with_parts

mpl.use("agg")

PROBLEMS = {"p": "Problem P", "q": "Problem Q"}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


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
    figure = plots.gains_by_part(gained(ratios), "path", "optimizer", PROBLEMS, "ratio")
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
    assert right.containers[1][0].get_xdata().tolist() == [plots.WIDEST]
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["Adam", "GD"]


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
    figure = plots.curves_of_paths(
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
