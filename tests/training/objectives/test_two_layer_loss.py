import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hrta.activations import homotopy
from hrta.networks.two_layer import TwoLayer
from hrta.training.objectives import two_layer_loss
from hrta.training.objectives.two_layer_loss import WIDTH_MULTIPLE, Loss
from hrta.training.packing import pack, unpack


def random_ensemble(runs, points, inputs, width, dtype=torch.float64, seed=0):
    """Parameters [R, D + 1, m], biased points, targets and s [R]."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, dtype=torch.float64, generator=generator).to(dtype)

    x = torch.cat([normal(points, inputs - 1), torch.ones(points, 1, dtype=dtype)], dim=1)
    s = 2 * torch.rand(runs, dtype=torch.float64, generator=generator).to(dtype)
    return normal(runs, inputs + 1, width), x, normal(points), s


def loss_by_autograd(parameters, x, y, s, width):
    """The loss as its formula says, without any of the engine's shortcuts."""
    hidden = homotopy(x @ parameters[:, :-1], s[:, None, None])
    predicted = (hidden * parameters[:, -1:]).sum(-1) / width**0.5
    return ((predicted - y) ** 2).mean(-1) / 2


def value_and_gradient(loss, parameters, s):
    gradient = torch.empty_like(parameters)
    return loss.value_and_gradient(parameters, s, gradient), gradient


@settings(deadline=None, max_examples=60)
@given(
    runs=st.integers(1, 6),
    points=st.integers(1, 20),
    inputs=st.integers(1, 6),
    width=st.integers(1, 70),
    block=st.sampled_from([1, 500, 10**6]),
    seed=st.integers(0, 1000),
)
def test_loss_and_gradient_are_those_of_autograd(runs, points, inputs, width, block, seed):
    parameters, x, y, s = random_ensemble(runs, points, inputs, width, seed=seed)
    parameters.requires_grad_()
    expected = loss_by_autograd(parameters, x, y, s, width)
    (expected_gradient,) = torch.autograd.grad(expected.sum(), parameters)
    loss = Loss(x, y, width)
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(two_layer_loss, "BLOCK_ELEMENTS", block)
        value, gradient = value_and_gradient(loss, parameters, s)
        # 64 roundings of sums of up to 70 x 20 terms of order 1 to 100.
        torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-12, atol=1e-12)
        assert torch.equal(loss.value(parameters, s), value)


def test_gradient_at_the_kink_is_that_of_torch():
    parameters, x, y, s = random_ensemble(3, 5, 2, 16)
    parameters[:, :-1, 4] = 0
    parameters.requires_grad_()
    expected = loss_by_autograd(parameters, x, y, s, 16)
    (expected_gradient,) = torch.autograd.grad(expected.sum(), parameters)
    with torch.no_grad():
        _, gradient = value_and_gradient(Loss(x, y, 16), parameters, s)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-12, atol=1e-12)


def test_padding_changes_nothing():
    parameters, x, y, s = random_ensemble(3, 9, 2, 11)
    padded = parameters.new_zeros(3, 3, WIDTH_MULTIPLE)
    padded[:, :, :11] = parameters
    loss = Loss(x, y, 11)
    value, gradient = value_and_gradient(loss, parameters, s)
    padded_value, padded_gradient = value_and_gradient(loss, padded, s)
    torch.testing.assert_close(padded_value, value, rtol=1e-14, atol=0)
    torch.testing.assert_close(padded_gradient[:, :, :11], gradient, rtol=1e-12, atol=1e-15)
    assert not padded_gradient[:, :, 11:].any()


@pytest.mark.parametrize(("width", "padded"), [(1, 16), (16, 16), (17, 32), (1000, 1008)])
def test_widths_are_padded_to_whole_cache_lines(width, padded):
    networks = TwoLayer.initialise(range(2), 3, width)
    packed = pack(networks, WIDTH_MULTIPLE)
    assert packed.shape == (2, 5, padded)
    assert not packed[:, :, width:].any()
    again = unpack(packed, width)
    assert torch.equal(again.inner, networks.inner)
    assert torch.equal(again.outer, networks.outer)
