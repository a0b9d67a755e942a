"""The dense kernel against sums over all pairs, on small integers: many z are exactly 0."""

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_features

from hrta.runtime.compilation import compiled
from hrta.training.kernels import dense
from hrta.training.kernels.simd import uses_tables
from hrta.training.kernels.updates import BLOCK

# Numba compiles for a processor without AVX, of the family of this one.
GENERIC = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}


@compiled
def loss_and_sums(columns, y, parameters, s, linear, sums):
    """The loss, and the sums of all neurons; sums is [D + 3, M]."""
    points = dense.prepare(columns, y, parameters.shape[1])
    loss = dense.forward(points, parameters, s, y.dtype.type(1))
    dense.backward(points, y.dtype.type(len(y)), linear)
    block = np.empty((len(sums), BLOCK), sums.dtype)
    for first in range(0, parameters.shape[1], BLOCK):
        last = min(first + BLOCK, parameters.shape[1])
        dense.sums_of_block(points, parameters, first, last, block)
        sums[:, first:last] = block[:, : last - first]
    return loss


@compiled
def has_tables():
    return uses_tables()


def check(points: int, inputs: int, width: int, kind: type) -> None:
    """Only the division by n is rounded; a wrong bit of a pattern changes a sum by 1/2 or more."""
    random = np.random.default_rng(points + 1000 * inputs + width)
    x = random.integers(-3, 4, (points, inputs))
    x[:, -1] = 1
    y = random.integers(-9, 10, points)
    parameters = random.integers(-2, 3, (inputs + 1, width))
    inner, outer = parameters[:-1], parameters[-1]
    s = 0.5
    z = x @ inner
    residual = ((1 - s) * z + s * np.maximum(z, 0)) @ outer - y
    linear, sums = np.empty(inputs, kind), np.empty((inputs + 3, width), kind)
    loss = loss_and_sums(
        dense.pack(x.astype(kind)), y.astype(kind), parameters.astype(kind), kind(s), linear, sums
    )
    assert loss == pytest.approx((residual**2).mean() / 2, rel=1e-6)
    rho = residual[:, None] * x
    rounding = 4 * np.finfo(kind).eps * np.abs(rho).sum()
    assert rounding < 0.1
    np.testing.assert_allclose(linear, rho.sum(0), rtol=0, atol=rounding)
    np.testing.assert_allclose(sums[:inputs], rho.T @ (z > 0), rtol=0, atol=rounding)


def check_all() -> None:
    for kind, (points, inputs, width) in product(
        (np.float32, np.float64),
        # Tiles of 4, 2 and 1 vectors; several words, blocks, and groups of inputs.
        [(1, 2, 16), (7, 3, 48), (33, 4, 80), (125, 4, 336), (150, 5, 528), (64, 11, 16)],
    ):
        check(points, inputs, width, kind)


def test_loss_and_sums():
    check_all()


def test_tables_are_used_where_the_processor_has_avx512():
    assert has_tables() == get_host_cpu_features().get("avx512f", False)


def test_loss_and_sums_on_a_processor_without_tables():
    script = "import test_dense; test_dense.check_all(); assert not test_dense.has_tables()"
    folders = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    environment = os.environ | GENERIC | {"PYTHONPATH": folders}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=600)
