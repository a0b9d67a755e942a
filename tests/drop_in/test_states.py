"""State dicts of plain models in converted ones, and the other way round."""

import pytest
import safetensors.torch
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
    with pytest.warns(UserWarning, match=r"has no s: it is 1 now, it was 1\.5"):
        network.load_state_dict(plain.state_dict())
    assert torch.equal(network(X), plain(X))
    assert float(network[2].s) == 1


def test_s_keeps_its_number_where_weights_have_no_memory():
    def on_meta(s):
        with torch.device("meta"):
            return hrta.convert(model(), s=s)

    for network in (on_meta(0.5), hrta.convert(model().to("meta"), s=0.5)):
        network.load_state_dict(hrta.convert(model(), s=1.5).state_dict(), assign=True)
        assert float(network[2].s) == 1.5
        with pytest.warns(UserWarning, match=r"has no s: it is 1 now, it was 1\.5"):
            network.load_state_dict(model().state_dict(), assign=True)
        assert torch.equal(network(X), model()(X))
    for network in (on_meta(1.3), hrta.convert(model(), s=1.3), on_meta(1.3).to("meta")):
        assert float(network.to_empty(device="cpu")[2].s) == 1.3


def test_memory_that_is_shared_stays_so():
    activation = hrta.HomotopyActivation(0.5).share_memory()
    assert activation._buffers["s"].is_shared()
    assert activation.to("cpu")._buffers["s"].is_shared()


def test_the_names_of_a_shared_activation_do_not_share_memory(tmp_path):
    """Or safetensors refuses to write them."""
    network = hrta.convert(model(), s=1.5)
    safetensors.torch.save_file(network.state_dict(), tmp_path / "it.safetensors")
    other = hrta.convert(model(seed=1))
    other.load_state_dict(safetensors.torch.load_file(tmp_path / "it.safetensors"))
    assert torch.equal(other(X), network(X))


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
    for mistake in (lambda: hrta.load_converted("it", {}), lambda: hrta.converted("it")):
        with pytest.raises(ValueError, match=r"must be a torch.nn.Module; it is 'it'"):
            mistake()
    with pytest.raises(ValueError, match="state_dict must be a dict; it is 5"):
        hrta.load_converted(plain, 5)
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
