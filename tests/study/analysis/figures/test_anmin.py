import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hrta.study.analysis.figures import anmin as anmin_plots
from hrta.study.config.alternation import AlternationSpec
from hrta.study.config.problem_sources import DataSet
from hrta.study.experiments.alternation import run

mpl.use("agg")


def test_every_problem_has_a_panel_with_its_losses():
    specs = [
        AlternationSpec(problem=DataSet(name=name), width=4, rounds=5, ridge=1e-3, leak=0, seeds=3)
        for name in ("iris", "wine")
    ]
    tables = [run(spec).table for spec in specs]
    table = pd.concat(tables, ignore_index=True)
    table.loc[table["problem"] == "wine", "test_loss"] = np.nan
    problems = {"iris": "Iris", "wine": "Wine"}
    figure = anmin_plots.losses_by_round(table, problems)
    iris, wine, off = figure.axes
    assert [axis.get_title() for axis in (iris, wine)] == ["Iris", "Wine"]
    assert not off.axison
    assert [len(axis.get_lines()) for axis in (iris, wine)] == [3, 2]
    medians = table[table["problem"] == "iris"].groupby("round")["loss"].median()
    np.testing.assert_allclose(iris.get_lines()[0].get_ydata(), medians)
    assert [axis.get_xlabel() for axis in (iris, wine)] == ["round", "round"]
    plt.close("all")
