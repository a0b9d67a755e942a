import numpy as np
import pytest

from hrta.training.line_search import Point, strong_wolfe

# Functions of t with slope -1 at 0, and their slopes.
LINES = {
    "parabola": (lambda t: t**2 / 2 - t, lambda t: t - 1),
    "far minimum": (lambda t: t**2 / 2e4 - t, lambda t: t / 1e4 - 1),
    "wave": (lambda t: 0.1 * np.sin(10 * t) - 2 * t + t**2, lambda t: np.cos(10 * t) - 2 + 2 * t),
    "kink": (lambda t: abs(t - 0.37) - t / 1e3, lambda t: np.sign(t - 0.37) - 1e-3),
    "wall": (lambda t: np.where(t < 2, t**2 / 2 - t, np.inf), lambda t: t - 1),
    "rise": (lambda t: 1.0 * (t > 0), lambda t: -1.0),
}


def search(name, first_step, evaluations=25):
    """The result of a search on one of the lines, and all steps that it tried."""
    loss, slope = LINES[name]
    tried = []

    def at(step):
        tried.append(float(step))
        return Point(step, float(loss(step)), np.empty(0), np.float64(slope(step)), np.empty(0))

    start = at(0.0)
    end, count = strong_wolfe(at, start, first_step, 1.0, evaluations)
    assert count == len(tried) - 1
    return start, end, tried[1:]


@pytest.mark.parametrize("first_step", [1e-3, 0.3, 1.0, 10.0])
@pytest.mark.parametrize("name", ["parabola", "far minimum", "wave", "wall"])
def test_the_point_satisfies_the_strong_wolfe_conditions(name, first_step):
    start, end, tried = search(name, first_step)
    assert tried[0] == first_step
    assert end.step in tried
    assert end.loss <= start.loss + 1e-4 * end.step * start.slope
    assert abs(end.slope) <= 0.9 * abs(start.slope)


def test_at_a_kink_it_ends_with_the_lowest_point():
    start, end, tried = search("kink", 1.0)
    assert end.loss == min(LINES["kink"][0](np.array(tried)))
    assert end.loss < start.loss


def test_without_a_lower_point_it_ends_at_the_start():
    start, end, tried = search("rise", 1.0)
    assert end is start
    assert min(tried) < 1e-9


@pytest.mark.parametrize("name", ["far minimum", "kink", "rise"])
@pytest.mark.parametrize("evaluations", [0, 1, 3])
def test_evaluations_after_the_first_one_are_limited(name, evaluations):
    start, end, tried = search(name, 1e-3 if name == "far minimum" else 1.0, evaluations)
    assert len(tried) == evaluations + 1
    assert end.loss <= start.loss


def test_a_fall_below_rounding_is_not_a_rise():
    def at(step):
        return Point(step, 1.0, np.empty(0), np.float32(1e-9 * (step - 1)), np.empty(0))

    end, count = strong_wolfe(at, at(0.0), 0.5, 1.0, 25)
    assert (end.step, count) == (0.5, 1)
