import numpy as np
import pytest

from hrta.study.analysis.shifts import chance, mean_shift, sign_test


def shift(difference, group=0, weights=None, level=1e-3, floor=0.0):
    difference = np.asarray(difference, dtype=float)
    every = np.broadcast_to(group, len(difference))
    weights = np.arange(len(difference)) if weights is None else weights
    known = np.isfinite(difference)
    return mean_shift(difference, known, every, weights, level, floor)


def test_the_bound_holds_for_fair_signs_of_any_sizes():
    random = np.random.default_rng(0)
    for sizes in (np.ones(50), 10 ** random.normal(0, 2, 50), np.eye(50)[0]):
        signs = random.choice([-1, 1], (2000, 50))
        units = shift((signs * sizes).ravel(), np.repeat(range(2000), 50), level=0.02)
        assert (units > 1).mean() <= 0.02


def test_the_tolerance_is_as_written():
    difference = [0.3, -0.1, 0.2, np.nan]
    allowed = 0.01 + chance(1e-3) * np.sqrt(0.3**2 + 0.1**2 + 0.2**2) / 3
    assert shift(difference, floor=0.01) == pytest.approx([0.4 / 3 / allowed])
    # Two results of one network are no two networks.
    together = 0.01 + chance(1e-3) * np.sqrt(0.2**2 + 0.2**2) / 3
    found = shift(difference, weights=[0, 0, 1, 1], floor=0.01)
    assert found == pytest.approx([0.4 / 3 / together])
    assert shift([1.0, 1.0], weights=[0, 0]) == [0]


def test_groups_are_apart():
    units = shift(np.repeat([0.0, 1.0], 50), np.repeat([0, 1], 50))
    assert units[0] == 0
    assert units[1] > 1


@pytest.mark.parametrize(("only", "agree"), [((9, 0), True), ((10, 0), False), ((20, 18), True)])
def test_the_sign_test_counts_what_is_infinite_in_only_one(only, agree):
    infinite = np.repeat([[True, False], [False, True], [True, True]], [*only, 30], axis=0)
    assert (sign_test(infinite, np.zeros(len(infinite), dtype=int)).max() < 1) == agree
