"""The sums over pairs against loops over all pairs in float64."""

import numba
import numpy as np
import pytest

from hrta.runtime.compilation import OPTIONS
from hrta.training.kernels import ritz_sums, vectors
from hrta.training.kernels.ritz_arrays import make_network, make_points

WIDTH, POINTS = 150, 200


@pytest.fixture(params=[True, False], ids=["as here", "without look-up"])
def sums(request, monkeypatch):
    """Both sums, as this processor has them, and as processors without a look-up have them."""
    if not request.param:
        monkeypatch.setattr(vectors, "has_avx512", lambda context: False)

    @numba.njit(**OPTIONS)
    def both(points, network, tables):
        x, patterns, inner = points.x, points.patterns, network.parameters
        ritz_sums.sums_over_neurons(x, inner, network.products, patterns, points.slopes)
        ritz_sums.sums_over_points(points.moments, patterns, tables, network.sums)

    return both


def tables_of(moments):
    """For each group of 4 points the sums over all of its parts, by the definition."""
    bits = np.arange(16)[:, None] >> np.arange(4) & 1
    groups = np.asarray(moments).reshape(len(moments), -1, 4)
    return np.einsum("kgi,ei->gke", groups, bits)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("inputs", [1, 2, 3, 5])
def test_sums_are_those_over_all_pairs(sums, inputs, kind):
    random = np.random.default_rng(inputs)
    # Small multiples of powers of 2: no operation rounds, and many z are 0.
    x = random.integers(9, size=(POINTS, inputs)) / 8
    parameters = random.integers(-4, 5, size=(inputs + 2, WIDTH)) / 4
    moments = random.integers(-8, 9, size=((inputs + 1) * (inputs + 2) // 2, POINTS)) / 8
    points = make_points(x, x[:, 0], x[:, 0], WIDTH, kind)
    network = make_network(parameters.astype(kind))
    network.products[:] = parameters[-1] * parameters[:-1]
    for moment, values in zip(points.moments, moments, strict=True):
        moment[:POINTS], moment[POINTS:] = values, 0
    sums(points, network, tables_of(points.moments).astype(kind, order="C"))
    z = x @ parameters[:-2] + parameters[-2]
    assert (z == 0).any()
    products = parameters[-1] * parameters[:-1]
    np.testing.assert_array_equal(points.slopes[:, :POINTS], products @ np.maximum(z, 0).T)
    np.testing.assert_array_equal(network.sums[:, :WIDTH], moments @ (z > 0))
