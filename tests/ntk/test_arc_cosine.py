"""Entries of the kernel to the last digits, wherever the points lie."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrta import ntk
from hrta.ntk.matrices import with_ones

EYE = np.eye(3)
POINTS = {
    "random": np.random.default_rng(0).standard_normal((6, 3)),
    "nearly coinciding": np.array([[1.0, 2], [1 + 1e-3, 2], [1 + 1e-8, 2], [1, 2 + 1e-15]]),
    "nearly parallel": np.array([[1e6, 2e6], [1e6, 2e6 + 1], [2e6, 4e6], [1e8, 2e8]]),
    "nearly opposite": np.array([[1e4], [-1e4], [1e6], [-1e6], [1e8], [-1e8], [-2.9999e7]]),
    "opposite axes": np.concatenate([1e5 * EYE, -1e5 * (1 + 1e-7) * EYE]),
    "nearly orthogonal": np.array([[2.0], [-0.5], [-0.5 + 1e-12], [4], [-0.25], [0.1], [-10]]),
}


def exact(x, z, s, part):
    """The kernel of two points in 50 digits, from the angle between them."""
    with mpmath.workdps(50):
        x, z = ([*map(mpmath.mpf, map(float, point)), mpmath.mpf(1)] for point in (x, z))
        places = [(i, j) for i in range(len(x)) for j in range(i)]
        wedge = mpmath.sqrt(sum((x[i] * z[j] - x[j] * z[i]) ** 2 for i, j in places))
        dot = sum(a * b for a, b in zip(x, z, strict=True))
        theta = mpmath.atan2(wedge, dot)
        norms = mpmath.sqrt(sum(a * a for a in x) * sum(b * b for b in z))
        s = mpmath.mpf(s)
        p, q = (1 - s / 2) ** 2, (s / 2) ** 2 * 2 / mpmath.pi
        inner = p * dot + q * dot * (mpmath.pi / 2 - theta)
        outer = p * dot + q * (norms * mpmath.sin(theta) + dot * (mpmath.pi / 2 - theta))
        return {"inner": inner, "outer": outer, "total": inner + outer}[part]


@pytest.mark.parametrize("part", ntk.PARTS)
@pytest.mark.parametrize("points", POINTS)
@pytest.mark.parametrize("s", [0, 0.5, 1, 1.25, 2])
def test_every_entry_is_exact(points, s, part):
    x = POINTS[points]
    matrix = ntk.gram(x, s, part)
    for i, one in enumerate(x):
        for j, other in enumerate(x):
            expected = exact(one, other, s, part)
            with mpmath.workdps(50):
                error = abs(mpmath.mpf(float(matrix[i, j])) - expected)
            assert error <= 1e-13 * abs(expected), (i, j)


@given(
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1e-3, 1.0, 1e3]),
    st.sampled_from([0.25, 1.0, 2.0]),
)
def test_in_any_dimension(inputs, seed, scale, s):
    """Where the parts of opposite signs cancel, what is lost is what they lose: s >= 1 has none
    for the outer part but near the zero of the kernel, so errors are measured against the norms."""
    x = scale * np.random.default_rng(seed).standard_normal((3, inputs))
    norms = np.linalg.norm(with_ones(x), axis=1)
    matrix = ntk.gram(x, s)
    for i in range(3):
        for j in range(i):
            expected = float(exact(x[i], x[j], s, "total"))
            assert abs(matrix[i, j] - expected) < 4e-15 * norms[i] * norms[j]


def test_threads_and_tiles_change_nothing(monkeypatch):
    x = np.random.default_rng(1).standard_normal((300, 2))
    whole = ntk.gram(x, 1.5)
    np.testing.assert_array_equal(whole, whole.T)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    np.testing.assert_array_equal(ntk.gram(x, 1.5), whole)
    np.testing.assert_array_equal(ntk.gram(x[:7], 1.5), whole[:7, :7])
