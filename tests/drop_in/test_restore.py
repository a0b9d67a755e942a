"""Plain models from converted ones."""

import io
import subprocess
import sys

import pytest
import torch
from torch import nn

import hrta
from hrta import HomotopyActivation
from hrta.drop_in import CLASSES

X = torch.randn(9, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def model(activation=nn.ReLU):
    torch.manual_seed(0)
    shared = activation()
    return nn.Sequential(
        nn.Linear(3, 5), shared, nn.Sequential(nn.Linear(5, 5), shared), activation()
    ).double()


@pytest.mark.parametrize("activation", CLASSES)
def test_at_s_1_it_is_the_model_that_was_converted(activation):
    plain, network = model(activation), hrta.convert(model(activation), activation)
    assert list(hrta.converted(network)) == ["1", "3"]
    assert hrta.restore(network) is network
    assert str(network) == str(plain)
    assert hrta.converted(network) == {}
    assert network[1] is network[2][1]
    assert torch.equal(network(X), plain(X))
    network.load_state_dict(plain.state_dict())


@pytest.mark.parametrize("s", [0.0, 0.5, 1.5, 2.0])
def test_relu_at_another_s_is_a_leaky_relu(s):
    network = hrta.convert(model(), s=s).eval()
    expected = network(X)
    hrta.restore(network)
    assert type(network[1]) is nn.LeakyReLU
    assert network[1].negative_slope == 1 - s
    assert not network[1].training
    torch.testing.assert_close(network(X), expected, rtol=1e-14, atol=1e-14)


def test_what_torch_does_not_have_stays_or_is_an_error():
    network = nn.Sequential(HomotopyActivation(1.5, "tanh"), HomotopyActivation(0.5))
    network.append(HomotopyActivation(1.0, "sine"))
    with pytest.raises(ValueError, match=r"^restore: 0, 2: torch has no module for base tanh at s"):
        hrta.restore(network)
    assert len(hrta.converted(network)) == 3
    assert hrta.restore(network, strict=False) is network
    assert list(hrta.converted(network)) == ["0", "2"]
    with pytest.raises(ValueError, match="the model: torch has no module for base sine"):
        hrta.restore(HomotopyActivation(1.0, "sine"))
    assert isinstance(hrta.restore(HomotopyActivation(1.0, "gelu")), nn.GELU)
    with pytest.raises(ValueError, match="restore: model must be a"):
        hrta.restore(3)


@pytest.mark.parametrize("s", [1.0, 1.5])
def test_transformers_are_restored_with_all_that_torch_remembers_of_them(s):
    torch.manual_seed(0)
    network = nn.Transformer(16, 2, 1, 1, 32, dropout=0.0, batch_first=True)
    x = torch.randn(2, 4, 5, 16)
    hrta.restore(hrta.convert(network, s=s))
    encoder, decoder = network.encoder.layers[0], network.decoder.layers[0]
    assert encoder.activation_relu_or_gelu == (1 if s == 1 else 0)
    assert type(decoder.activation) is (nn.ReLU if s == 1 else nn.LeakyReLU)
    file = io.BytesIO()
    torch.save(network, file)
    file.seek(0)
    again, training = torch.load(file, weights_only=False), network(*x)
    with torch.no_grad():
        for each in (network, again):
            torch.testing.assert_close(each.eval()(*x), training, rtol=1e-5, atol=1e-6)


def test_a_restored_model_is_loaded_without_this_package(tmp_path):
    network = hrta.restore(hrta.convert(model(), s=1.5))
    torch.save((network, network(X)), tmp_path / "model.pt")
    code = (
        "import sys, torch; sys.modules['hrta'] = None;"
        f"network, expected = torch.load({str(tmp_path / 'model.pt')!r}, weights_only=False);"
        "assert len(network) == 4"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_no_model_is_refused():
    for function in (hrta.converted, hrta.restore, lambda model: hrta.load_converted(model, {})):
        for model in (None, "a", [nn.ReLU()], nn.ReLU):
            with pytest.raises(ValueError, match=r"model must be a torch\.nn\.Module"):
                function(model)
    for state in (None, "a", [1]):
        with pytest.raises(ValueError, match="state_dict must be a dict"):
            hrta.load_converted(nn.ReLU(), state)
