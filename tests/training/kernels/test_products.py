"""Products in register tiles against NumPy, and the activations."""

import numpy as np
import pytest

from hrta.runtime.compilation import compiled
from hrta.training.kernels.actions import ADD, RELU, RELU_BACK, TANH, TANH_BACK
from hrta.training.kernels.products import multiply

WIDTHS = [8, 16, 48, 64, 80, 208]


@compiled
def every_product(left, count, right, old, results):
    """left, [rows, count], or its transpose, times right, with each action."""
    rows, width = left.shape
    for number in range(len(results)):
        results[number] = old
    multiply(left, 0, width, 1, count, right, results[0], rows, ADD)
    multiply(left, 0, width, 1, count, right, results[1], rows, TANH)
    multiply(left, 0, width, 1, count, right, results[2], rows, RELU)
    multiply(left, 0, width, 1, count, right, results[3], rows, TANH_BACK)
    multiply(left, 0, width, 1, count, right, results[4], rows, RELU_BACK)


@compiled
def transposed_product(left, start, right, result):
    multiply(left, start, 1, left.shape[1], len(right), right, result, len(result), ADD)


@compiled
def tanh(z, ones, result):
    multiply(ones, 0, 1, 1, 1, z, result, 4, TANH)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [0, 1, 7])
def test_actions_are_those_of_numpy(width, count):
    random = np.random.default_rng(width + count)
    left, right = random.normal(size=(8, 7)), random.normal(size=(7, width))
    old = random.uniform(-1, 1, size=(8, width))
    z = left[:, :count] @ right[:count]
    expected = [old + z, np.tanh(z), np.maximum(z, 0), z * (1 - old**2), z * (old > 0)]
    results = np.zeros((5, 8, width))
    every_product(left, count, right, old, results)
    np.testing.assert_allclose(results, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("width", WIDTHS)
def test_left_may_be_transposed_and_begin_anywhere(width):
    random = np.random.default_rng(width)
    left, right = random.normal(size=(20, 12)), random.normal(size=(5, width))
    result = np.ones((8, width))
    transposed_product(left, 3 * 12 + 4, right, result)
    np.testing.assert_allclose(result, 1 + left[3:8, 4:].T @ right, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tanh_has_an_error_of_a_few_roundings_of_one(dtype):
    # 2z / log 2 is halfway between two integers, or nearly so.
    halfway = (np.arange(-32, 32) + 0.5).astype(dtype) * dtype(np.log(2) / 2)
    halfway = [halfway, np.nextafter(halfway, dtype(99)), np.nextafter(halfway, dtype(-99))]
    z = np.concatenate([np.linspace(-40, 40, 200_000), np.linspace(-1, 1, 50_000), *halfway])
    z = z.astype(dtype)[None]
    result = np.zeros((4, z.shape[1]), dtype)
    tanh(z, np.ones((4, 1), dtype), result)
    # Roundings of 2z / log 2, of e^2z, of 2 / (1 + e^2z), which is up to 2, and of the difference.
    error = np.abs(result - np.tanh(z.astype(np.longdouble))).max()
    assert error < 4 * np.finfo(dtype).eps / 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tanh_of_zero_and_of_what_is_not_finite(dtype):
    largest = np.finfo(dtype).max
    values = [0, -0.0, np.inf, -np.inf, np.nan, largest, -largest, 1e-30]
    z = np.tile(np.array(values, dtype), (1, 2))
    result = np.zeros((4, 16), dtype)
    tanh(z, np.ones((4, 1), dtype), result)
    expected = [0, 0, 1, -1, np.nan, 1, -1, 0]
    np.testing.assert_array_equal(result, np.tile(np.array(expected, dtype), (4, 2)))
