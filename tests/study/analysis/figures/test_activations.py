import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from hrta.study.analysis.figures.activations import activation_family

mpl.use("agg")


def test_activations_show_value_and_slope():
    figure = activation_family([0, 1, 2])
    value, slope = figure.axes
    for line, s in zip(value.get_lines(), [0, 1, 2], strict=True):
        z, shown = line.get_data()
        np.testing.assert_allclose(shown, (1 - s) * z + s * np.maximum(z, 0), atol=1e-15)
    for line, s in zip(slope.get_lines(), [0, 1, 2], strict=True):
        z, shown = line.get_data()
        np.testing.assert_allclose(shown[z < -1e-9], 1 - s)
        np.testing.assert_allclose(shown[z > 1e-9], 1)
        assert np.isnan(shown).sum() == 1  # the jump is no line
    plt.close("all")
