"""Extremal eigenvalues of Gram matrices of many points."""

from functools import partial

import numpy as np
import pytest

from hrta import ntk
from hrta.ntk import extremes
from hrta.ntk.eigenvalues import spectrum
from hrta.ntk.extremes import SMALL, extremal_eigenvalues
from hrta.ntk.on_device import DeviceKernel
from hrta.problems.targets import make_problem

VALUES = [2, 0.5, 0, 1.5, 0.5]


@pytest.fixture(params=["factored", "device"])
def kernel(request, monkeypatch):
    """The two ways to factorise, that of a GPU on the CPU."""
    if request.param == "device":
        made = partial(DeviceKernel, device="cpu")
        monkeypatch.setattr(extremes, "FactoredKernel", made)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize(("name", "points"), [("sine1d", 100), ("sine1d", 600), ("sine3d", 512)])
def test_extremes_are_those_of_the_decomposition(name, points):
    x = make_problem(name, points, 1).x
    computed = extremal_eigenvalues(x, VALUES)
    for s, (smallest, largest) in zip(VALUES, computed, strict=True):
        expected = spectrum(ntk.gram(x, s))
        # The error of the decomposition itself, n eps lambda_max / lambda_min, is below 1e-5.
        assert smallest == pytest.approx(expected[0], rel=1e-6)
        assert largest == pytest.approx(expected[-1], rel=1e-12)
    assert computed[2][0] == 0


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("gap", [0, 1e-13])
def test_points_that_hardly_differ_have_a_smallest_eigenvalue_of_zero(gap):
    x = np.linspace(0, 1, SMALL + 1)[:, None]
    x = np.concatenate([x, x[-1:] - gap])
    if gap:
        computed = extremal_eigenvalues(x, [1, 2])
    else:
        with pytest.warns(UserWarning, match="1 of the 502 points are repeated"):
            computed = extremal_eigenvalues(x, [1, 2])
    for s, (smallest, largest) in zip([1, 2], computed, strict=True):
        assert smallest == 0
        assert largest == pytest.approx(ntk.gram(x[:-1], s).sum() / SMALL, rel=0.2)


def test_what_has_no_extremes_is_refused():
    with pytest.raises(ValueError, match=r"s must be in \[0, 2\]; it is 3"):
        extremal_eigenvalues(np.zeros((2, 1)), [1, 3])
    with pytest.raises(ValueError, match=r"\[n, n\] with n >= 2"):
        extremal_eigenvalues(np.zeros((1, 1)), [1])
