import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from hrta import HomotopyActivation, homotopy
from hrta.activations import BASES

Z = torch.linspace(-3, 3, 61, dtype=torch.float64)
HALVES = st.floats(0, 2)


@pytest.mark.parametrize("base", BASES)
def test_s_0_is_the_identity_and_s_1_the_base(base):
    assert torch.equal(homotopy(Z, 0, base), Z)
    assert torch.equal(homotopy(Z, 1, base), BASES[base](Z))


def test_s_2_is_the_absolute_value():
    torch.testing.assert_close(homotopy(Z, 2), Z.abs(), rtol=0, atol=1e-15)


@given(HALVES)
def test_relu_homotopy_is_leaky_relu(s):
    expected = functional.leaky_relu(Z, negative_slope=1 - s)
    torch.testing.assert_close(homotopy(Z, s), expected, rtol=1e-15, atol=1e-15)


@given(HALVES)
def test_linear_and_absolute_part(s):
    expected = (1 - s / 2) * Z + s / 2 * Z.abs()
    torch.testing.assert_close(homotopy(Z, s), expected, rtol=1e-15, atol=1e-15)


def test_slope_at_zero_is_that_of_leaky_relu():
    z = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(homotopy(z, 0.75).sum(), z)
    assert slope.item() == 0.25


def test_s_may_be_one_for_each_row():
    s = torch.tensor([[0.5], [1.5]], dtype=torch.float64)
    both = homotopy(Z.expand(2, -1), s)
    # One number has a kernel of its own, which rounds at other places.
    expected = torch.stack([homotopy(Z, 0.5), homotopy(Z, 1.5)])
    torch.testing.assert_close(both, expected, rtol=1e-15, atol=1e-15)


def test_module_can_be_set_saved_and_loaded():
    activation = HomotopyActivation(s=0.5)
    assert torch.equal(activation(Z), homotopy(Z, 0.5))
    activation.s = 1.5
    assert torch.equal(activation(Z), homotopy(Z, 1.5))
    other = HomotopyActivation()
    other.load_state_dict(activation.state_dict())
    assert float(other.s) == 1.5
    assert torch.equal(other(Z), activation(Z))
    assert repr(other) == "HomotopyActivation(s=1.5, base='relu')"


def test_setting_s_does_not_disturb_a_pending_backward_pass():
    activation = HomotopyActivation(0.5)
    z = Z.clone().requires_grad_()
    first = activation(z).sum()
    activation.s = 1.5
    (first + activation(z).sum()).backward()
    expected = torch.where(Z > 0, 2.0, 0.5 - 0.5).to(Z)
    torch.testing.assert_close(z.grad, expected, rtol=0, atol=1e-15)


def test_raising_s_in_place_is_checked():
    activation = HomotopyActivation(1.0)
    activation.s += 0.5
    assert float(activation.s) == 1.5
    with pytest.raises(ValueError, match=r"s must be a number in \[0, 2\]; it is 2.5"):
        activation.s += 1
    assert float(activation.s) == 1.5
    with pytest.raises(ValueError, match=r"s must be a number in \[0, 2\]; it is 5"):
        activation.load_state_dict({"s": torch.tensor(5.0)})


def test_numbers_of_any_kind_will_do():
    assert homotopy(torch.tensor([-1, 2]), 0.5, "gelu").dtype == torch.float32
    both = homotopy(Z.expand(2, -1), np.array([[0.5], [1.5]]))
    expected = torch.stack([homotopy(Z, 0.5), homotopy(Z, 1.5)])
    torch.testing.assert_close(both, expected, rtol=1e-15, atol=1e-15)
    with pytest.raises(ValueError, match=r"s must be a number in \[0, 2\]; it is 3"):
        homotopy(Z, [0.5, 3])


@pytest.mark.parametrize("s", [-0.1, 2.1, float("nan"), float("inf")])
def test_s_outside_its_range_is_refused(s):
    activation = HomotopyActivation()
    with pytest.raises(ValueError, match=rf"s must be a number in \[0, 2\]; it is {s}"):
        homotopy(Z, s)
    with pytest.raises(ValueError, match=rf"s must be a number in \[0, 2\]; it is {s}"):
        HomotopyActivation(s)
    with pytest.raises(ValueError, match=rf"s must be a number in \[0, 2\]; it is {s}"):
        activation.s = s
    assert float(activation.s) == 1


def test_unknown_base_lists_the_known():
    with pytest.raises(ValueError, match=r"base must be one of relu, relu2, .*; it is 'step'"):
        homotopy(Z, 1, "step")
    with pytest.raises(ValueError, match=r"base must be one of relu, relu2, .*; it is 'step'"):
        HomotopyActivation(base="step")
