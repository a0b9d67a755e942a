"""Replace the activations of a model by homotopy activations, and back."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from hrta.activations import HomotopyActivation

# The activation modules that can be replaced, and the name of each as a base.
CLASSES: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.Tanh: "tanh",
    nn.GELU: "gelu",
    nn.SiLU: "silu",
    nn.Softplus: "softplus",
}
# The functions that torch's transformer layers may have as their activation instead.
FUNCTIONS: dict[type[nn.Module], tuple[Callable[..., Tensor], ...]] = {
    nn.ReLU: (functional.relu, torch.relu),
    nn.Tanh: (torch.tanh, functional.tanh),
    nn.GELU: (functional.gelu,),
    nn.SiLU: (functional.silu,),
    nn.Softplus: (functional.softplus,),
}
TRANSFORMER_LAYERS = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
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
    activation is; converted layers do not use it.

    Args:
        model: any module.
        base: the class to replace, a key of `CLASSES`.
        s: the initial homotopy parameter, in [0, 2].

    Returns:
        The model, or its replacement if the model itself is such an activation.

    Raises:
        ValueError: model is not a module, base is not a key of `CLASSES`, the model has no such
            activation (calls of functions such as torch.relu are not found), an activation has
            settings other than the default, a recurrent layer has this activation inside, a
            decoder layer does not use it, or s is outside [0, 2].
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"convert: model must be a torch.nn.Module; it is {model!r}")
    if not isinstance(base, type) or base not in CLASSES:
        names = ", ".join(f"nn.{known.__name__}" for known in CLASSES)
        raise ValueError(f"convert: base must be one of {names}; it is {base!r}")
    _check_recurrent(model, base)
    _check_decoders(model, base)
    replaced: dict[nn.Module, HomotopyActivation] = {}
    devices = {weight.device for weight in model.parameters()}
    device = next(iter(devices)) if len(devices) == 1 else None

    def replacement(module: nn.Module) -> HomotopyActivation:
        if module not in replaced:
            for name, value in DEFAULTS.get(base, {}).items():
                if (given := getattr(module, name)) != value:
                    raise ValueError(
                        f"convert: {module}: {name} must be {value!r}; it is {given!r}"
                    )
            activation = HomotopyActivation(s, CLASSES[base]).train(module.training)
            replaced[module] = activation.to(device)
        return replaced[module]

    if type(model) is base:
        return replacement(model)
    # named_children would list a shared module only once.
    found = [
        (parent, name, replacement(child))
        for parent in model.modules()
        for name, child in parent._modules.items()
        if type(child) is base
    ]
    found += [
        (layer, "activation", replacement(base()))
        for layer in model.modules()
        if isinstance(layer, TRANSFORMER_LAYERS) and layer.activation in FUNCTIONS[base]
    ]
    for parent, name, activation in found:
        _place(parent, name, activation)
    _leave_fused_layers(model)
    if not found:
        raise ValueError(
            f"convert: the model must contain an nn.{base.__name__} module; it has none (function "
            "calls are not found)"
        )
    return model


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


def _leave_fused_layers(model: nn.Module) -> None:
    """Let encoders with a converted layer evaluate their layers one by one, on padded sequences."""
    for encoder in model.modules():
        if isinstance(encoder, nn.TransformerEncoder):
            activations = (getattr(layer, "activation", None) for layer in encoder.layers)
            if any(isinstance(each, HomotopyActivation) for each in activations):
                encoder.use_nested_tensor = False


def converted(model: nn.Module) -> dict[str, HomotopyActivation]:
    """The homotopy activations of a model by their names in it; a shared one has the first."""
    named = model.named_modules()
    return {name: module for name, module in named if isinstance(module, HomotopyActivation)}


def restore(model: nn.Module, strict: bool = True) -> nn.Module:
    """Replace every homotopy activation by a module of torch for the same function, in place.

    With s = 1 that is the activation it was converted from, at another s for ReLU a
    `nn.LeakyReLU(1 - s)`. So a trained model can be saved and exported without this package.

    Args:
        model: any module.
        strict: whether an activation for which torch has no such module is an error; if not, it
            stays.

    Returns:
        The model, or its replacement if the model itself is such an activation.

    Raises:
        ValueError: model is not a module, or an activation cannot be restored.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"restore: model must be a torch.nn.Module; it is {model!r}")
    plain: dict[nn.Module | None, nn.Module | None]
    plain = {module: _plain(module) for module in converted(model).values()}
    stuck = [name for name, module in converted(model).items() if plain[module] is None]
    if stuck and strict:
        first = converted(model)[stuck[0]]
        raise ValueError(
            f"restore: {', '.join(name or 'the model' for name in stuck)}: torch has no module for "
            f"base {first.base} at s = {float(first.s):g}; set s to 1, or leave such activations "
            "with strict=False"
        )
    if (restored := plain.get(model)) is not None:
        return restored
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if (restored := plain.get(child)) is not None:
                _place(parent, name, restored)
    return model


def _plain(activation: HomotopyActivation) -> nn.Module | None:
    """The module of torch that computes the same; None if there is none."""
    s = float(activation.s)
    classes = {base: each for each, base in CLASSES.items()}
    if s == 1 and activation.base in classes:
        return classes[activation.base]().train(activation.training)
    if activation.base == "relu":
        return nn.LeakyReLU(1 - s).train(activation.training)
    return None


def _place(parent: nn.Module, name: str, activation: nn.Module) -> None:
    """Set the activation of a module, and what torch's transformer layers remember of it."""
    setattr(parent, name, activation)
    if isinstance(parent, nn.TransformerEncoderLayer):
        fused = {nn.ReLU: 1, nn.GELU: 2}
        parent.activation_relu_or_gelu = fused.get(type(activation), 0)
    if isinstance(parent, nn.TransformerDecoderLayer):
        # A copy of a decoder layer without this entry gets ReLU.
        vars(parent)["activation"] = activation
