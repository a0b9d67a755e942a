"""Plain models from converted ones."""

import warnings
from collections.abc import Mapping
from copy import copy
from typing import Any

from torch import nn

from hrta.activations import HomotopyActivation, check_homotopy_parameter
from hrta.drop_in.placement import CLASSES, TRANSFORMER_LAYERS, check_model, keep_hooks, place
from hrta.runtime.arguments import as_flag, shown


def converted(model: nn.Module) -> dict[str, HomotopyActivation]:
    """The homotopy activations of a model by their names in it; a shared one has the first.

    Raises:
        ValueError: model is not a module.
    """
    check_model(model, "converted")
    named = model.named_modules()
    return {name: module for name, module in named if isinstance(module, HomotopyActivation)}


def restore(model: nn.Module, strict: bool = True) -> nn.Module:
    """Replace every homotopy activation by a module of torch for the same function, in place.

    With s = 1 that is the activation it was converted from, at another s for ReLU a
    `nn.LeakyReLU(1 - s)`, for s > 1 not in place, with a warning if it was. So a trained model can
    be saved and exported without this package.

    Args:
        model: any module.
        strict: whether an activation for which torch has no such module is an error; if not, it
            stays.

    Returns:
        The model, or its replacement if the model itself is such an activation.

    Raises:
        ValueError: model is not a module, or an activation cannot be restored.
    """
    check_model(model, "restore")
    strict = as_flag(strict, "restore: strict")
    found = converted(model)
    plain = {module: _plain(module) for module in found.values()}
    stuck = [name for name, module in found.items() if plain[module] is None]
    if stuck and strict:
        first = found[stuck[0]]
        raise ValueError(
            f"restore: {', '.join(name or 'the model' for name in stuck)}: torch has no module for "
            f"base {first.base} at s = {float(first.s):g}; set s to 1, or leave such activations "
            "with strict=False"
        )
    if any(module.inplace and float(module.s) > 1 for module in found.values()):
        warnings.warn("restore: nn.LeakyReLU of a negative slope is not in place", stacklevel=2)
    if isinstance(model, HomotopyActivation):
        if replacement := plain[model]:
            keep_hooks(model, replacement)
        return replacement or model
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if isinstance(child, HomotopyActivation) and (replacement := plain[child]):
                place(parent, name, replacement)
    return model


def _plain(activation: HomotopyActivation) -> nn.Module | None:
    """The module of torch that computes the same; None if there is none."""
    s, base = float(activation.s), activation.base
    classes = {name: each for each, name in CLASSES.items()}
    if base == "relu":
        # In place, torch's leaky ReLU of a negative slope has no gradient.
        inplace = activation.inplace and s <= 1
        plain: nn.Module = nn.ReLU(inplace) if s == 1 else nn.LeakyReLU(1 - s, inplace)
    elif s == 1 and base in classes:
        plain = classes[base]()
    else:
        return None
    return plain.train(activation.training)


def load_converted(model: nn.Module, state_dict: Mapping[str, Any]) -> nn.Module:
    """Load the state_dict of a converted model into the plain one.

    That is possible if s is 1 in all of its activations, where both compute the same function.

    Args:
        model: the model as it was before `convert`; what is converted in it is loaded as well.
        state_dict: of the same model after `convert`.

    Returns:
        The model.

    Raises:
        ValueError: the model is not a module, the state is not a dict, or s is not 1 in an
            activation of the state that the model has as a plain one.
        RuntimeError: the states do not fit otherwise; see `torch.nn.Module.load_state_dict`.
    """
    check_model(model, "load_converted")
    if not isinstance(state_dict, Mapping):
        raise ValueError(f"load_converted: state_dict must be a dict; it is {shown(state_dict)}")
    rest: Any = copy(state_dict)  # with the versions of its modules, which a dict would lose
    for key in _keys_of_s(model) & state_dict.keys():
        s = check_homotopy_parameter(rest.pop(key), f"load_converted: {key}")
        if s != 1:
            raise ValueError(
                f"load_converted: {key} must be 1 for a plain model; it is {s:g}: save the model "
                "after hrta.restore, or convert this one, too"
            )
    model.load_state_dict(rest)
    return model


def _keys_of_s(model: nn.Module) -> set[str]:
    """The keys that `convert` adds to the state_dict of a plain model."""
    keys = set()
    for name, module in model.named_modules(remove_duplicate=False):
        if type(module) in CLASSES:
            keys.add(f"{name}.s")
        if isinstance(module, TRANSFORMER_LAYERS):
            keys.add(f"{name}.activation.s")
    return {key.removeprefix(".") for key in keys} - model.state_dict().keys()
