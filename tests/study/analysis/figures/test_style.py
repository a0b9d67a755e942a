import io

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from hrta.study.analysis.figures.style import colours, line_styles, save_figure, use_style

mpl.use("agg")


def test_colours_are_told_apart():
    chosen = np.array(colours(range(5)))
    distances = np.linalg.norm(chosen[:, None] - chosen[None], axis=-1)
    assert distances[~np.eye(5, dtype=bool)].min() > 0.25


def test_many_lines_are_told_apart_by_colour_or_dashes():
    styles = line_styles(range(28))
    assert len({str(style) for style in styles}) == 28
    # As long as there are few, by colour alone.
    assert {style["linestyle"] for style in styles[:8]} == {"-"}
    chosen = np.array([mpl.colors.to_rgb(style["color"]) for style in styles[:8]])
    distances = np.linalg.norm(chosen[:, None] - chosen[None], axis=-1)
    assert distances[~np.eye(8, dtype=bool)].min() > 0.25


def test_a_family_shares_its_colour():
    adam, gd, relaxed, path, tanh = line_styles(
        ["adam", "gd", "relaxed", "path", "tanh"],
        {"relaxed": "adam", "path": "adam", "tanh": "not there"},
    )
    assert adam["color"] == relaxed["color"] == path["color"]
    assert len({str(style["linestyle"]) for style in (adam, relaxed, path)}) == 3
    assert len({adam["color"], gd["color"], tanh["color"]}) == 3
    assert adam["linestyle"] == gd["linestyle"] == tanh["linestyle"] == "-"


def test_a_family_of_a_family_has_the_colour_of_its_head():
    adam, layer, neuron = line_styles(
        ["adam", "layer", "neuron"], {"layer": "adam", "neuron": "layer"}
    )
    assert adam["color"] == layer["color"] == neuron["color"]
    assert len({str(style["linestyle"]) for style in (adam, layer, neuron)}) == 3


def test_a_notebook_shows_the_saved_figure_at_half_its_size(tmp_path):
    use_style()
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.plot([1, 2], [3, 4])
    picture = save_figure(figure, tmp_path / "a")
    assert not plt.fignum_exists(figure.number)
    assert repr(picture) == "Picture()"
    saved = plt.imread(tmp_path / "a.png")[..., :3]
    shown = plt.imread(io.BytesIO(picture._repr_png_()))
    assert (saved.shape[:2], shown.shape[:2]) == ((300, 600), (150, 300))
    # Each pixel is the mean of four, rounded to a 255th.
    blocks = saved.reshape(150, 2, 300, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(shown[..., :3], blocks, atol=1 / 255)
