"""Conversion of torch's layers that have an activation inside."""

import copy
import io

import pytest
import torch
from torch import nn
from torch.nn import functional

from hrta import HomotopyActivation
from hrta.drop_in import convert

SIZE = {"d_model": 16, "nhead": 2, "dim_feedforward": 32, "dropout": 0.0, "batch_first": True}
ENCODER_LAYER, DECODER_LAYER = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
X, MEMORY = torch.randn(2, 4, 7, 16, generator=torch.Generator().manual_seed(0))
# True for what is not part of the sequence; aligned to the left, as the fused layers want it.
PADDING = torch.arange(7) >= torch.tensor([7, 5, 3, 6])[:, None]


def encoder(**options):
    return nn.TransformerEncoder(ENCODER_LAYER(**SIZE | options), 2)


def decoder(**options):
    return nn.TransformerDecoder(DECODER_LAYER(**SIZE | options), 2)


def whole(**options):
    return nn.Transformer(num_encoder_layers=2, num_decoder_layers=2, **SIZE | options)


CONTAINERS = {
    "encoder layer": (ENCODER_LAYER, lambda model: model(X)),
    "masked encoder layer": (ENCODER_LAYER, lambda model: model(X, src_key_padding_mask=PADDING)),
    "encoder": (encoder, lambda model: model(X)),
    "masked encoder": (encoder, lambda model: model(X, src_key_padding_mask=PADDING)),
    "decoder layer": (DECODER_LAYER, lambda model: model(X, MEMORY)),
    "decoder": (decoder, lambda model: model(X, MEMORY)),
    "transformer": (whole, lambda model: model(X, MEMORY)),
    "masked transformer": (whole, lambda model: model(X, MEMORY, src_key_padding_mask=PADDING)),
}
ACTIVATIONS = {
    "relu": (nn.ReLU, "relu"),
    "nn.ReLU": (nn.ReLU, nn.ReLU()),
    "torch.relu": (nn.ReLU, torch.relu),
    "gelu": (nn.GELU, functional.gelu),
    "nn.GELU": (nn.GELU, nn.GELU()),
}


def made(container, activation):
    """A plain model; its weights depend on nothing but its shapes."""
    make, run = CONTAINERS[container]
    torch.manual_seed(0)
    model = make(**(SIZE if make in (ENCODER_LAYER, DECODER_LAYER) else {}), activation=activation)
    return model, run


def outputs(model, run):
    """In training and for evaluation, with and without gradients; what is padding is left out."""
    found = {}
    for training in (True, False):
        for gradients in (True, False):
            with torch.set_grad_enabled(gradients):
                value = run(model.train(training)).detach()
            found[training, gradients] = (
                value
                if len(value) != 4
                else value.masked_fill(
                    PADDING[:, :, None] if value.shape == X.shape else torch.tensor(False), 0
                )
            )
    return found


# Torch has no fused encoder layer for torch.relu, and says so, as it does of nested tensors.
@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("s", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_a_converted_transformer_is_the_same_function_however_it_is_evaluated(
    container, activation, s
):
    base, given = ACTIVATIONS[activation]
    if activation == "nn.GELU" and container in ("decoder", "transformer", "masked transformer"):
        with pytest.raises(ValueError, match=r"computes relu, not its nn\.GELU: torch loses"):
            convert(made(container, given)[0], base)
        return
    plain, run = made(container, given)
    converted, _ = made(container, given)
    convert(converted, base, s)
    layers = [m for m in converted.modules() if isinstance(m, ENCODER_LAYER | DECODER_LAYER)]
    assert all(isinstance(layer.activation, HomotopyActivation) for layer in layers)
    expected, found = outputs(plain, run), outputs(converted, run)
    for value in found.values():
        torch.testing.assert_close(value, found[True, True], rtol=1e-5, atol=1e-6)
        if s == 1:
            torch.testing.assert_close(value, expected[True, True], rtol=1e-5, atol=1e-6)
        else:
            assert (value - expected[True, True]).abs().max() > 0.01


@pytest.mark.parametrize("container", ["masked encoder", "decoder layer", "decoder", "transformer"])
def test_a_converted_transformer_keeps_what_it_is_when_copied_and_saved(container):
    model, run = made(container, "relu")
    convert(model.eval(), s=1.5)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    with torch.no_grad():
        expected = run(model)
        for again in (copy.deepcopy(model), torch.load(file, weights_only=False)):
            torch.testing.assert_close(run(again), expected, rtol=0, atol=0)


def test_an_encoder_of_another_activation_keeps_its_fused_layers():
    model = nn.Sequential(encoder(activation="gelu"), nn.ReLU())
    with pytest.warns(UserWarning, match=r"left as they are: 0\.layers\.0\.activation \(gelu\)"):
        convert(model)
    assert model[0].use_nested_tensor
    assert model[0].layers[0].activation_relu_or_gelu == 2


@pytest.mark.parametrize(
    ("layer", "base", "named"),
    [
        (nn.RNN(3, 4, nonlinearity="relu"), nn.ReLU, "RNN 1 cannot be converted: .* 'relu'"),
        (nn.RNNCell(3, 4, nonlinearity="relu"), nn.ReLU, "RNNCell 1 cannot be converted"),
        (nn.RNN(3, 4), nn.Tanh, "RNN 1 cannot be converted: .* 'tanh'"),
    ],
)
def test_recurrent_layers_are_refused_by_name(layer, base, named):
    model = nn.Sequential(base(), layer)
    with pytest.raises(ValueError, match=f"^convert: {named}"):
        convert(model, base)
    assert type(model[0]) is base


def test_recurrent_layers_with_another_activation_stay():
    model = nn.Sequential(nn.ReLU(), nn.RNN(3, 4), nn.LSTM(3, 4))
    convert(model)
    assert isinstance(model[0], HomotopyActivation)
