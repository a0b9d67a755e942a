"""State dicts of plain models in converted ones, and the other way round."""

import pytest
import torch
from torch import nn

import hrta

X = torch.linspace(-2, 2, 12).reshape(6, 2)


def model(seed=0):
    torch.manual_seed(seed)
    shared = nn.ReLU()
    return nn.Sequential(
        nn.Linear(2, 4), nn.BatchNorm1d(4), shared, nn.Sequential(nn.Linear(4, 4), shared)
    ).eval()


def test_a_plain_state_in_a_converted_model_means_s_1():
    plain, network = model(), hrta.convert(model(seed=1))
    network.load_state_dict(plain.state_dict())
    assert torch.equal(network(X), plain(X))
    network[2].s = 1.5
    with pytest.warns(UserWarning, match=r"has no 2\.s: s is 1 now, it was 1\.5"):
        network.load_state_dict(plain.state_dict())
    assert torch.equal(network(X), plain(X))
    assert float(network[2].s) == 1


def test_a_plain_state_is_assigned_to_a_model_without_memory():
    for expected in (model(), hrta.convert(model(), s=1.5)):
        network = hrta.convert(model(seed=1).to("meta"), s=0.5)
        network.load_state_dict(expected.state_dict(), assign=True)
        assert torch.equal(network(X), expected(X))


def test_other_missing_keys_are_missing_as_before():
    state = model().state_dict()
    del state["0.bias"]
    with pytest.raises(RuntimeError, match=r'Missing key.*"0.bias"') as raised:
        hrta.convert(model()).load_state_dict(state)
    assert ".s" not in str(raised.value)


def test_a_converted_state_in_a_plain_model():
    plain, network = model(seed=1), hrta.convert(model())
    state = network.state_dict()
    assert hrta.load_converted(plain, state) is plain
    assert torch.equal(plain(X), network(X))
    assert "2.s" in state
    assert hrta.load_converted(nn.ReLU(), hrta.convert(nn.ReLU()).state_dict())


def test_a_converted_state_whose_s_is_not_1_is_refused_and_loads_nothing():
    plain, network = model(seed=1), hrta.convert(model(), s=1.5)
    before = plain(X)
    with pytest.raises(ValueError, match=r"load_converted: 2.s|3.1.s must be 1 for a plain model"):
        hrta.load_converted(plain, network.state_dict())
    assert torch.equal(plain(X), before)
    with pytest.raises(ValueError, match=r"must be a torch.nn.Module; it is 'it'"):
        hrta.load_converted("it", {})
    with pytest.raises(RuntimeError, match=r'Unexpected key.*"more"'):
        hrta.load_converted(plain, {**hrta.convert(model()).state_dict(), "more": torch.ones(1)})


def test_a_model_in_part_converted_gets_its_own_s():
    network = model(seed=1)
    hrta.convert(network[3], s=0.5)
    other = hrta.convert(model())
    other[3][1] = hrta.HomotopyActivation(1.25)
    hrta.load_converted(network, other.state_dict())
    assert type(network[2]) is nn.ReLU
    assert float(network[3][1].s) == 1.25


def test_functions_of_transformer_layers():
    layer = nn.TransformerEncoderLayer(4, 1, 8, batch_first=True)
    state = hrta.convert(nn.Sequential(nn.TransformerEncoderLayer(4, 1, 8))).state_dict()
    assert state["0.activation.s"] == 1
    hrta.load_converted(nn.Sequential(layer), state)
    torch.testing.assert_close(layer.linear1.weight, state["0.linear1.weight"])
