import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from hrta.study.analysis.figures.panels import log_scale, panel_figure
from hrta.study.analysis.figures.style import use_style

mpl.use("agg")


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1e-6, 1, ["10^{-6}", "10^{-4}", "10^{-2}", "10^{0}"]),
        (0.015, 0.8, ["2\\times10^{-2}", "5\\times10^{-2}", "10^{-1}", "2\\times10^{-1}"]),
    ],
)
def test_log_axes_are_labelled_without_crowding(low, high, labels):
    use_style()
    figure, axis = plt.subplots(figsize=(2, 1.5))
    axis.plot([0, 1], [low, high])
    log_scale(axis)
    figure.draw_without_rendering()
    ticks = [*axis.yaxis.get_major_ticks(), *axis.yaxis.get_minor_ticks()]
    shown = {tick.label1.get_text() for tick in ticks} - {""}
    assert all(any(label in text for text in shown) for label in labels)
    assert len(shown) <= 9
    plt.close(figure)


def test_labels_and_titles_are_at_the_edges_of_the_grid():
    drawn = []

    def draw(axis, row, column):
        drawn.append((row, column))
        axis.plot([row, column], label=f"line {row}")

    figure = panel_figure(
        {1: "first", 2: "second"},
        {3: "left", 4: "right"},
        draw,
        height=2,
        x_label="steps",
        row_titles={1: "above", 2: "below"},
    )
    assert drawn == [(1, 3), (1, 4), (2, 3), (2, 4)]
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["left\nabove", "right\nabove", "below", "below"]
    assert [axis.get_ylabel() for axis in figure.axes] == ["first", "", "second", ""]
    assert [axis.get_xlabel() for axis in figure.axes] == ["", "", "steps", "steps"]
    entries = {text.get_text() for text in figure.legends[0].get_texts()}
    assert entries == {"line 1", "line 2"}
    plt.close(figure)
