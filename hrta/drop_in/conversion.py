"""Replace the activations of a model by homotopy activations."""

import warnings
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.utils.parametrize import ParametrizationList

from hrta.activations import HomotopyActivation
from hrta.drop_in.left_out import functions_called, listed, modules_left
from hrta.drop_in.placement import (
    CLASSES,
    FUNCTIONS,
    TRANSFORMER_LAYERS,
    check_model,
    keep_hooks,
    place,
)

# The settings that these modules must have.
DEFAULTS: dict[type[nn.Module], dict[str, object]] = {
    nn.GELU: {"approximate": "none"},
    nn.Softplus: {"beta": 1, "threshold": 20},
}


def convert(model: nn.Module, base: type[nn.Module] = nn.ReLU, s: float = 1.0) -> nn.Module:
    """Replace every activation of a class by a `HomotopyActivation`, in place.

    With s = 1 the model computes the same function as before. A module that is used in several
    places is replaced by one module. s is on the device of the weights if all are on one device.
    In torch's transformer layers, activations that are functions are replaced, too. For evaluation
    torch has a fused version of an encoder layer, which computes ReLU or GELU whatever its
    activation is; converted layers do not use it. `inplace=True` is kept for ReLU, and hooks are
    kept. Activations among parametrizations of weights stay as they are.

    A warning names what is left: activations of other classes or that are not registered as
    modules, and functions such as torch.relu that a `forward` calls. To find these, torch.fx traces
    each `forward` that is not torch's, on a copy without buffers, as far as it can.

    Args:
        model: any module.
        base: the class to replace, a key of `CLASSES`.
        s: the initial homotopy parameter, in [0, 2].

    Returns:
        The model, or its replacement if the model itself is such an activation.

    Raises:
        ValueError: model is not a module, base is not a key of `CLASSES`, the model has no such
            activation, an activation has settings other than the default, a recurrent layer has
            this activation inside or is fused with one, a decoder layer does not use it, or s is
            outside [0, 2].
    """
    _check(model, base)
    found = list(_places(model, base))
    modules = {activation for _, _, activation in found}
    devices = {weight.device for weight in model.parameters()} - {torch.device("meta")}
    replacements = {module: _replacement(module, s, devices) for module in modules}
    if type(model) is base:
        replacement = _replacement(model, s, devices)
        keep_hooks(model, replacement)
        return replacement
    calls = functions_called(model)
    if not found:
        reason = f"; {listed(calls)}: put in an hrta.HomotopyActivation there" if calls else ""
        raise ValueError(
            f"convert: the model must contain an nn.{base.__name__} module; it has none{reason}"
        )
    for parent, name, activation in found:
        place(parent, name, replacements[activation])
    _leave_fused_layers(model)
    _warn(modules, modules_left(model), calls)
    return model


def _check(model: nn.Module, base: type[nn.Module]) -> None:
    check_model(model, "convert")
    if not isinstance(base, type) or base not in CLASSES:
        names = ", ".join(f"nn.{known.__name__}" for known in CLASSES)
        raise ValueError(f"convert: base must be one of {names}; it is {base!r}")
    _check_recurrent(model, base)
    _check_fused(model, base)
    _check_decoders(model, base)


def _check_fused(model: nn.Module, base: type[nn.Module]) -> None:
    """Raise a ValueError if the activation is in a module that quantization has fused."""
    for name, layer in model.named_modules():
        kind = type(layer)
        if kind.__module__.startswith("torch.ao.nn") and base.__name__ in kind.__name__:
            raise ValueError(
                f"convert: {kind.__name__}{f' {name}' if name else ''} cannot be converted: torch "
                f"quantizes it with its {base.__name__}; convert the model before it is fused"
            )


def _check_recurrent(model: nn.Module, base: type[nn.Module]) -> None:
    """Raise a ValueError if a recurrent layer has the activation, which torch computes itself."""
    for name, layer in model.named_modules():
        nonlinearity = getattr(layer, "nonlinearity", None)
        if isinstance(layer, nn.RNN | nn.RNNCell) and nonlinearity == CLASSES[base]:
            raise ValueError(
                f"convert: {type(layer).__name__}{f' {name}' if name else ''} cannot be converted: "
                f"torch computes its nonlinearity {nonlinearity!r} together with its products"
            )


def _check_decoders(model: nn.Module, base: type[nn.Module]) -> None:
    """Raise a ValueError if a decoder layer has an activation module that it does not use.

    Torch gives a copy of a layer, and so each layer of a decoder, ReLU instead of a module.
    """
    for name, layer in model.named_modules():
        if isinstance(layer, nn.TransformerDecoderLayer):
            used, module = layer.activation, layer._modules.get("activation")
            if type(module) is base and used is not module and used not in FUNCTIONS[base]:
                raise ValueError(
                    f"convert: {name or 'the layer'} computes {used.__name__}, not its "
                    f"nn.{base.__name__}: torch loses the activation module of a decoder layer "
                    "that is copied; give the activation as a function"
                )


def _places(model: nn.Module, base: type[nn.Module]) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Each activation of the class with the module that contains it and its name there."""
    of_functions = base()
    for parent in model.modules():
        if isinstance(parent, ParametrizationList):  # of weights
            continue
        # named_children would list a shared module only once.
        for name, child in parent._modules.items():
            if type(child) is base:
                yield parent, name, child
        if isinstance(parent, TRANSFORMER_LAYERS) and parent.activation in FUNCTIONS[base]:
            yield parent, "activation", of_functions


def _replacement(module: nn.Module, s: float, devices: set) -> HomotopyActivation:
    """The homotopy of an activation; raises a ValueError if its settings are not the default."""
    base = type(module)
    for name, value in DEFAULTS.get(base, {}).items():
        if (given := getattr(module, name)) != value:
            raise ValueError(f"convert: {module}: {name} must be {value!r}; it is {given!r}")
    inplace = isinstance(module, nn.ReLU) and module.inplace
    activation = HomotopyActivation(s, CLASSES[base], inplace).train(module.training)
    return activation.to(*devices) if len(devices) == 1 else activation


def _leave_fused_layers(model: nn.Module) -> None:
    """Let encoders with a converted layer evaluate their layers one by one, on padded sequences."""
    for encoder in model.modules():
        if isinstance(encoder, nn.TransformerEncoder):
            activations = (getattr(layer, "activation", None) for layer in encoder.layers)
            if any(isinstance(each, HomotopyActivation) for each in activations):
                encoder.use_nested_tensor = False


def _warn(replaced: set[nn.Module], left: list[str], calls: list[str]) -> None:
    """Warn of what `convert` could not do, in one line."""
    parts = [f"left as they are: {listed(left)}"] if left else []
    if calls:
        parts.append(f"functions are not replaced: {listed(calls)}")
    if any(type(module) is nn.SiLU and module.inplace for module in replaced):
        parts.append("nn.SiLU(inplace=True) is no longer in place")
    if parts:
        warnings.warn(f"convert: {'; '.join(parts)}", stacklevel=3)
