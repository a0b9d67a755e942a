"""Activations become homotopy activations."""

import copy

import pytest
import torch
from torch import nn

import hrta
from hrta import HomotopyActivation
from hrta.drop_in import CLASSES, convert


def model(activation=nn.ReLU):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(2, 8), activation(), nn.Sequential(nn.Linear(8, 8), activation()), nn.Linear(8, 1)
    )


def parameters_of(network):
    return [float(m.s) for m in network.modules() if isinstance(m, HomotopyActivation)]


@pytest.mark.parametrize("activation", CLASSES)
def test_a_converted_model_computes_what_it_did(activation):
    network, x = model(activation).double(), torch.randn(20, 2, dtype=torch.float64)
    before = network(x)
    assert convert(network, activation) is network
    torch.testing.assert_close(network(x), before, rtol=1e-14, atol=1e-14)
    assert parameters_of(network) == [1.0, 1.0]
    assert not any(type(m) is activation for m in network.modules())


def test_a_shared_activation_stays_shared_and_an_activation_is_replaced():
    shared = nn.ReLU()
    network = nn.Sequential(nn.Linear(2, 3), shared, nn.Linear(3, 3), shared)
    convert(network, s=0.5)
    assert network[1] is network[3]
    assert isinstance(convert(nn.Tanh(), nn.Tanh), HomotopyActivation)


@pytest.mark.parametrize(
    ("network", "base", "message"),
    [
        ("a model", nn.ReLU, "model must be a torch.nn.Module; it is 'a model'"),
        (nn.Linear(1, 1), nn.ReLU, "the model must contain an nn.ReLU module; it has none"),
        (
            nn.Sequential(nn.Tanh()),
            nn.ReLU,
            "the model must contain an nn.ReLU module; it has none",
        ),
        (nn.Sequential(nn.ReLU()), nn.Sigmoid, "base must be one of nn.ReLU, nn.Tanh, "),
        (nn.Sequential(nn.ReLU()), "relu", "nn.SiLU, nn.Softplus; it is 'relu'"),
        (nn.Sequential(nn.ReLU()), [nn.ReLU], "base must be one of nn.ReLU, nn.Tanh, "),
        (nn.Sequential(nn.GELU("tanh")), nn.GELU, "approximate must be 'none'; it is 'tanh'"),
        (nn.Sequential(nn.Softplus(beta=2)), nn.Softplus, "beta must be 1; it is 2"),
    ],
)
def test_what_cannot_be_converted_is_one_clear_error(network, base, message):
    before = copy.deepcopy(network)
    with pytest.raises(ValueError, match="convert: ") as raised:
        convert(network, base)
    assert message in str(raised.value)
    assert repr(network) == repr(before)


@pytest.mark.parametrize("s", [torch.ones(3), [1, 1], None, "one"])
def test_s_that_is_not_one_number_is_one_clear_error(s):
    activation = HomotopyActivation(0.5)
    with pytest.raises(ValueError, match=r"s must be a number in \[0, 2\]; it is "):
        HomotopyActivation(s)
    with pytest.raises(ValueError, match=r"s must be a number in \[0, 2\]; it is "):
        activation.s = s
    with pytest.raises(ValueError, match=r"s must be a number in \[0, 2\]; it is "):
        convert(model(), s=s)
    assert float(activation.s) == 0.5


@pytest.mark.parametrize("s", [torch.ones(2), [1, 1], torch.ones(2, 1, 2)])
def test_s_that_does_not_broadcast_is_one_clear_error(s):
    with pytest.raises(
        ValueError, match=r"s must broadcast against z of shape \[4, 3\]; its shape is "
    ):
        hrta.homotopy(torch.ones(4, 3), s)


def test_s_may_be_a_tensor_that_wants_a_gradient():
    activation = HomotopyActivation(torch.tensor(0.5, requires_grad=True))
    activation.s = 2 * torch.tensor(0.75, requires_grad=True)
    assert float(activation.s) == 1.5
