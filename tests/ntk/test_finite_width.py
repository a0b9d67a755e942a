"""Tangent kernels of networks of finite width."""

import numpy as np
import pytest
import torch

from hrta import TwoLayer, ntk
from hrta.activations import homotopy
from hrta.ntk import finite_width, on_device
from hrta.ntk.finite_width import finite_kernel
from hrta.ntk.matrices import with_ones
from hrta.ntk.on_device import sums_of_all_pairs

RANDOM = np.random.default_rng(11)
POINTS = RANDOM.normal(size=(6, 2))
S_VALUES = [0.0, 0.5, 1.0, 1.5, 2.0]


@pytest.mark.parametrize("part", ntk.PARTS)
@pytest.mark.parametrize("s", S_VALUES)
def test_wide_networks_approach_the_closed_form(s, part):
    """Monte-Carlo: the mean over networks lies within 5 of its standard errors."""
    networks = TwoLayer.initialise(range(50), 2, 2000, dtype=torch.float64)
    samples = np.array(
        [
            ntk.empirical_gram(POINTS, inner.numpy(), outer.numpy(), s, part)
            for inner, outer in zip(networks.inner, networks.outer, strict=True)
        ]
    )
    error = np.abs(samples.mean(0) - ntk.gram(POINTS, s, part))
    standard_error = samples.std(0, ddof=1) / np.sqrt(len(samples))
    assert (error < 5 * standard_error).all()
    assert (standard_error < 0.05 * np.abs(samples.mean(0)).max()).all()


@pytest.mark.parametrize("x", [POINTS, POINTS[:, :1]], ids=["plane", "line"])
@pytest.mark.parametrize("s", S_VALUES)
def test_empirical_gram_is_the_product_of_gradients(s, x):
    network = TwoLayer.initialise([2], x.shape[1], 9, dtype=torch.float64)
    inner = network.inner[0].clone().requires_grad_()
    outer = network.outer[0].clone().requires_grad_()
    biased = torch.cat([torch.tensor(x), torch.ones(6, 1, dtype=torch.float64)], dim=1)
    predicted = homotopy(biased @ inner, s) @ outer / 9**0.5
    rows = [torch.autograd.grad(value, (inner, outer), retain_graph=True) for value in predicted]
    jacobian = {
        "inner": torch.stack([row[0].flatten() for row in rows]),
        "outer": torch.stack([row[1] for row in rows]),
        "total": torch.stack([torch.cat([row[0].flatten(), row[1]]) for row in rows]),
    }
    for part in ntk.PARTS:
        expected = (jacobian[part] @ jacobian[part].T).numpy()
        computed = ntk.empirical_gram(x, inner.detach(), outer.detach(), s, part)
        np.testing.assert_allclose(computed, expected, rtol=1e-13, atol=1e-13)


def test_sums_on_a_device_are_those_on_the_cpu(monkeypatch):
    monkeypatch.setattr(on_device, "CHUNK", 30)
    network = TwoLayer.initialise([2], 2, 17, dtype=torch.float64)
    biased, inner, outer = with_ones(POINTS), network.inner[0], network.outer[0]
    expected = finite_width._sums_of_all_pairs(biased, inner.numpy(), outer.numpy())
    for ours, theirs in zip(sums_of_all_pairs(biased, inner, outer), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("part", ntk.PARTS)
@pytest.mark.parametrize("s", S_VALUES)
def test_on_a_line_switches_may_be_anywhere(s, part):
    """On points, on repeated points, outside, and nowhere: the slope at z = 0 is 1 - s."""
    x = np.array([0.5, -1.0, 0.5, 2.0, 0.0, -0.0])
    weight = np.array([2.0, -2.0, 1.0, -1.0, 1.0, -1.0, 3.0, 3.0, 0.0, 0.0, 0.0, -0.0, -0.0, -0.0])
    bias = np.array([-1.0, 1.0, -0.7, 0.7, 0.0, -0.0, 9.0, -9.0, 1.0, -1.0, 0.0, 1.0, -1.0, 0.0])
    outer = np.linspace(-1, 2, len(bias))
    expected = np.zeros((6, 6))
    for w, b, a in zip(weight, bias, outer, strict=True):
        z = w * x + b
        slope = np.where(z > 0, 1.0, 1 - s)
        if part != "inner":
            expected += np.outer(slope * z, slope * z)
        if part != "outer":
            expected += a**2 * np.outer(slope, slope) * (np.outer(x, x) + 1)
    computed = ntk.empirical_gram(x[:, None], np.stack([weight, bias]), outer, s, part)
    np.testing.assert_allclose(computed, expected / len(outer), rtol=1e-14, atol=1e-13)


def test_a_line_in_the_plane_is_a_line():
    """The method for one dimension and that for several agree up to the roundings of the sums."""
    inner, outer = RANDOM.normal(size=(3, 5000)), RANDOM.normal(size=5000)
    x = np.linspace(-2, 2, 40)[:, None]
    line = finite_kernel(x, inner[[0, 2]], outer)
    plane = finite_kernel(np.hstack([x, 0 * x]), inner, outer)
    for one, other in zip(line, plane, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * np.abs(other).max())


def test_weights_that_do_not_fit_the_points_are_refused():
    with pytest.raises(ValueError, match=r"inner must be \[3, m\] and outer \[m\]"):
        ntk.empirical_gram(POINTS, np.zeros((2, 5)), np.zeros(5), 1)
    with pytest.raises(ValueError, match=r"they are \[2, 3, 5\] and \[4, 5\]"):
        ntk.empirical_gram(POINTS, np.zeros((2, 3, 5)), np.zeros((4, 5)), 1)


def test_weights_that_are_no_numbers_are_refused():
    for inner, outer in ((np.full((3, 5), np.nan), np.ones(5)), (np.ones((3, 0)), np.ones(0))):
        with pytest.raises(ValueError, match="inner and outer must be finite, and m at least 1"):
            ntk.empirical_gram(POINTS, inner, outer, 1)


def test_several_networks_at_once_are_each_by_itself():
    networks = TwoLayer.initialise([1, 2, 3], 2, 7)
    s = [0.5, 1.0, 1.5]
    together = ntk.empirical_gram(POINTS, networks.inner, networks.outer, s)
    assert together.shape == (3, 6, 6)
    for run in range(3):
        alone = ntk.empirical_gram(POINTS, networks.inner[run], networks.outer[run], s[run])
        np.testing.assert_array_equal(together[run], alone)


def test_a_wide_network_is_worked_on_in_chunks(monkeypatch):
    network = TwoLayer.initialise([1], 2, 100, dtype=torch.float64)
    whole = ntk.empirical_gram(POINTS, network.inner[0], network.outer[0], 1.5)
    monkeypatch.setattr(finite_width, "CHUNK", 70)
    parts = ntk.empirical_gram(POINTS, network.inner[0], network.outer[0], 1.5)
    np.testing.assert_allclose(parts, whole, rtol=1e-14, atol=1e-15)
