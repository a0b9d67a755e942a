"""The figures of the race show the numbers that they are given."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hrta.study.analysis import races
from hrta.study.analysis.figures import races as race_plots
from hrta.study.analysis.figures.style import line_styles

mpl.use("agg")

METHODS = {"adam": "Adam", "lbfgs": "L-BFGS", "anmin": "ANMIN"}
PROBLEMS = {"p": "Problem P", "q": "Problem Q"}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def lines(axis):
    """The data of every labelled line by its label."""
    drawn = axis.get_lines()
    return {line.get_label(): line.get_xydata() for line in drawn if line.get_label()[0] != "_"}


def entries(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def run(losses, method="adam", seed=0, width=5, cost=1.0):
    steps = np.arange(len(losses))
    fixed = {"problem": "p", "width": width, "method": method, "seed": seed}
    clocks = {"evaluations": 2.0 * steps, "seconds": cost * (steps + 1.0)}
    return pd.DataFrame(
        fixed | {"step": steps} | clocks | {"answer": True, "loss": losses, "test_loss": np.nan}
    )


# Loss against what it cost


def test_curves_show_median_losses_against_both_clocks():
    seeds = [([1, 0.5, 0.2], 1), ([1, 0.4, 0.1], 3), ([1, 0.6, 0.3], 2)]
    runs = pd.concat(
        [run(losses, seed=seed, cost=cost) for seed, (losses, cost) in enumerate(seeds)]
        + [run([1, 0.9], "anmin", width=50)]
    )
    figure = race_plots.race_curves(runs, METHODS)
    assert [axis.get_title() for axis in figure.axes] == ["width m = 5"] * 2 + ["width m = 50"] * 2
    evaluations, seconds = (lines(axis)["Adam"] for axis in figure.axes[:2])
    # Nothing had been evaluated at step 0: a logarithmic axis has no place for it.
    np.testing.assert_allclose(evaluations, [[2, 0.5], [4, 0.2]])
    np.testing.assert_allclose(seconds, [[2, 1], [4, 0.5], [6, 0.2]])
    np.testing.assert_allclose(lines(figure.axes[3])["ANMIN"], [[1, 1], [2, 0.9]])
    assert entries(figure) == ["Adam", "ANMIN"]
    assert [axis.get_xlabel() for axis in figure.axes[2:]] == ["gradient evaluations", "seconds"]
    assert {(axis.get_xscale(), axis.get_yscale()) for axis in figure.axes} == {("log", "log")}


def test_the_widths_shown_can_be_chosen():
    runs = pd.concat([run([1, 0.5], width=width) for width in (5, 50, 500)])
    figure = race_plots.race_curves(runs, METHODS, [500, 5])
    assert [axis.get_title() for axis in figure.axes[::2]] == ["width m = 500", "width m = 5"]


def test_a_run_that_ended_early_counts_with_its_last_state():
    runs = pd.concat([run([1, 0.1, 0.3, 0.2]), run([1, 0.01], seed=1), run([1, 0.02], seed=2)])
    shown = lines(race_plots.race_curves(runs, METHODS).axes[0])["Adam"]
    np.testing.assert_allclose(shown[:, 1], [0.02, 0.02, 0.02])
    np.testing.assert_allclose(shown[:, 0], [2, 2, 2])


def test_a_dot_marks_where_a_method_stops():
    runs = pd.concat([run([1, 0.5, 0.2]), run([1, 0.1], "lbfgs")])
    _, adam, _, lbfgs = race_plots.race_curves(runs, METHODS).axes[0].get_lines()
    np.testing.assert_allclose(adam.get_xydata(), [[4, 0.2]])
    np.testing.assert_allclose(lbfgs.get_xydata(), [[2, 0.1]])
    assert lbfgs.get_color() == line_styles(METHODS)[1]["color"]


def test_a_method_looks_the_same_whichever_others_are_there():
    figure = race_plots.race_curves(run([1, 0.5], "anmin"), METHODS)
    assert figure.axes[0].get_lines()[0].get_color() == line_styles(METHODS)[2]["color"]
    assert entries(figure) == ["ANMIN"]


def test_divergence_leaves_the_panel_and_room_for_the_others():
    runs = pd.concat([run([1, 1e30, np.inf, np.nan]), run([0.5, 0.1, 0.01, 0.0], "lbfgs")])
    figure = race_plots.race_curves(runs, METHODS)
    axis = figure.axes[0]
    low, high = axis.get_ylim()
    assert (0.001 < low < 0.01, high) == (True, 10)
    assert (lines(axis)["Adam"][:, 1] > high).all()
    np.testing.assert_allclose(lines(axis)["L-BFGS"], [[2, 0.1], [4, 0.01]])
    figure.draw_without_rendering()


def test_nothing_but_divergence_is_drawn_without_complaint():
    figure = race_plots.race_curves(run([np.inf, np.nan, np.nan]), METHODS)
    figure.draw_without_rendering()
    assert entries(figure) == ["Adam"]
    assert figure.axes[0].get_ylim() == (1, 10)


def test_curves_are_of_one_problem():
    runs = pd.concat([run([1.0]), run([1.0]).assign(problem="q")])
    with pytest.raises(ValueError, match="more than one problem"):
        race_plots.race_curves(runs, METHODS)


# Performance profiles


def times(of_methods, target):
    """Rows of one seed from the times of each method on each pair."""
    return pd.DataFrame(
        [
            {"problem": "p", "width": width, "method": method, "seed": 0}
            | {"target": target, "time": float(time)}
            for method, row in of_methods.items()
            for width, time in enumerate(row)
        ]
    )


def test_profiles_rise_in_steps_to_the_edge():
    easy = times({"adam": [1, 2, 9], "lbfgs": [4, 1, np.inf]}, 0.1)
    hard = times({"adam": [np.inf] * 3, "lbfgs": [3, np.inf, np.inf]}, 0.01)
    profiles = races.performance_profiles(pd.concat([easy, hard]))
    figure = race_plots.profiles({"seconds": profiles, "evaluations": profiles}, METHODS)
    titles = ["loss ≤ 0.1\n3 pairs", "loss ≤ 0.01\n1 pair"]
    assert [axis.get_title() for axis in figure.axes] == titles * 2
    assert [axis.get_ylabel() for axis in figure.axes[::2]] == [
        "seconds:\nshare of pairs",
        "gradient evaluations:\nshare of pairs",
    ]
    shown = lines(figure.axes[0])
    end = figure.axes[0].get_xlim()[1]
    assert end > 4
    np.testing.assert_allclose(shown["Adam"], [[1, 2 / 3], [2, 1], [end, 1]])
    np.testing.assert_allclose(shown["L-BFGS"], [[1, 1 / 3], [4, 2 / 3], [end, 2 / 3]])
    np.testing.assert_allclose(lines(figure.axes[1])["Adam"], [[1, 0], [end, 0]])
    assert {line.get_drawstyle() for line in figure.axes[0].get_lines()} == {"steps-post"}
    assert entries(figure) == ["Adam", "L-BFGS"]


def test_a_target_that_none_reaches_says_so():
    table = times({"adam": [1, 2], "lbfgs": [2, 1]}, 0.1)
    never = times({"adam": [np.inf] * 2, "lbfgs": [np.inf] * 2}, 1e-6)
    profiles = races.performance_profiles(pd.concat([table, never]))
    figure = race_plots.profiles({"seconds": profiles}, METHODS)
    reached, none = figure.axes
    assert not reached.texts
    assert [text.get_text() for text in none.texts] == ["no method\ngets there"]
    assert none.get_title() == "loss ≤ 1e-06\n0 pairs"
    assert not any(np.isfinite(data[:, 1]).any() for data in lines(none).values())
    figure.draw_without_rendering()


def test_a_target_of_one_clock_only_leaves_the_other_panel_empty():
    ones = {"adam": [1], "lbfgs": [1]}
    first, second = (races.performance_profiles(times(ones, t)) for t in (0.1, 0.01))
    figure = race_plots.profiles({"seconds": first, "evaluations": second}, METHODS)
    assert [len(axis.texts) for axis in figure.axes] == [0, 1, 1, 0]
    figure.draw_without_rendering()


# Final loss against the learning rate


def sensitivity(rows):
    table = pd.DataFrame(rows, columns=["problem", "width", "method", "learning_rate", "loss"])
    return table.assign(low=table["loss"], high=table["loss"])


def test_sensitivity_shows_every_learning_rate():
    table = sensitivity(
        [
            ("p", 5, "adam", 0.1, 0.02),
            ("p", 5, "adam", 0.01, 0.3),
            ("p", 5, "anmin", 0.1, 0.4),
            ("p", 50, "adam", 0.1, 0.05),
            ("q", 50, "adam", 1.0, 0.06),
        ]
    )
    figure = race_plots.loss_against_learning_rate(table, METHODS, PROBLEMS | {"r": "not there"})
    assert [axis.get_visible() for axis in figure.axes] == [True, True, False, True]
    titles = [axis.get_title() for axis in figure.axes if axis.get_visible()]
    assert titles == ["m = 5", "m = 50", "m = 50"]
    labels = [axis.get_ylabel() for axis in figure.axes if axis.get_visible()]
    assert labels == ["Problem P", "", "Problem Q"]
    np.testing.assert_allclose(lines(figure.axes[0])["Adam"], [[0.01, 0.3], [0.1, 0.02]])
    np.testing.assert_allclose(lines(figure.axes[0])["ANMIN"], [[0.1, 0.4]])
    np.testing.assert_allclose(lines(figure.axes[3])["Adam"], [[1, 0.06]])
    assert entries(figure) == ["Adam", "ANMIN"]
    # Below the left column there is no panel: its last one has the label.
    assert [axis.get_xlabel() for axis in figure.axes] == [
        "learning rate",
        "",
        "",
        "learning rate",
    ]
    figure.draw_without_rendering()


def test_learning_rates_that_diverge_leave_the_panel():
    rates = [(0.01, 0.1), (0.1, 0.001), (1.0, 1e20), (10.0, np.inf)]
    table = sensitivity([("p", 5, "adam", rate, loss) for rate, loss in rates])
    (axis,) = race_plots.loss_against_learning_rate(table, METHODS, PROBLEMS).axes
    low, high = axis.get_ylim()
    assert (1e-4 < low < 1e-3, high) == (True, 10)
    shown = lines(axis)["Adam"]
    np.testing.assert_allclose(shown[:, 0], [0.01, 0.1, 1, 10])
    np.testing.assert_allclose(shown[:2, 1], [0.1, 0.001])
    assert (shown[2:, 1] > high).all()


def test_where_all_diverged_the_panel_is_empty():
    table = sensitivity([("p", 5, "adam", rate, np.inf) for rate in (0.1, 1.0)])
    figure = race_plots.loss_against_learning_rate(table, METHODS, PROBLEMS)
    figure.draw_without_rendering()
    assert figure.axes[0].get_ylim() == (1, 10)
    assert (lines(figure.axes[0])["Adam"][:, 1] > 10).all()
