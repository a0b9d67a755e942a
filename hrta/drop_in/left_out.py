"""The activations of a model that are not converted: other modules, and calls of functions."""

import copy
import io
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout

import torch
from torch import fx, nn
from torch.nn import functional

from hrta.drop_in.placement import CLASSES, TRANSFORMER_LAYERS

# Activations of hidden layers; not those of outputs and gates, such as nn.Softmax and nn.Sigmoid.
ACTIVATIONS = (
    *CLASSES,
    nn.CELU,
    nn.ELU,
    nn.Hardshrink,
    nn.Hardswish,
    nn.Hardtanh,  # and nn.ReLU6
    nn.LeakyReLU,
    nn.Mish,
    nn.PReLU,
    nn.RReLU,
    nn.SELU,
    nn.Softshrink,
    nn.Softsign,
    nn.Tanhshrink,
    nn.Threshold,
)
# The names of the same activations as functions, in torch, torch.nn.functional and Tensor.
FUNCTIONS = {
    *("relu", "tanh", "gelu", "silu", "softplus", "celu", "elu", "hardswish", "hardtanh", "relu6"),
    *("leaky_relu", "mish", "prelu", "rrelu", "selu", "softsign", "threshold"),
}
SHOWN = 5


def modules_left(model: nn.Module) -> list[str]:
    """The activation modules of a model, and functions of its transformer layers: name (class)."""
    left = []
    for name, module in model.named_modules():
        if isinstance(module, ACTIVATIONS):
            left.append(f"{name or 'the model'} ({type(module).__name__})")
        if isinstance(module, TRANSFORMER_LAYERS) and not isinstance(module.activation, nn.Module):
            left.append(f"{name}.activation ({module.activation.__name__})".removeprefix("."))
    return left


def functions_called(model: nn.Module) -> list[str]:
    """The activation functions that each module calls in its own `forward`, where fx traces it."""
    calls = []
    for name, module in model.named_modules():
        own = not type(module).__module__.startswith(("torch.", "hrta."))
        if own and not isinstance(module, ACTIVATIONS):
            names = sorted(set(_calls(module)))
            calls += [f"{name or 'the model'} calls {called}" for called in names]
    return calls


class _OwnForward(fx.Tracer):
    """Traces a module without looking into those that it contains."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return True


def _calls(module: nn.Module) -> Iterator[str]:
    """The activation functions in the graph of `forward`; none if it cannot be traced."""
    try:
        with (
            torch.random.fork_rng(devices=[]),
            redirect_stdout(io.StringIO()),
            warnings.catch_warnings(action="ignore"),
        ):
            graph = _OwnForward().trace(_without_effects(module))
    except Exception:  # whatever a forward does with what is no tensor
        return
    for node in graph.nodes:
        name = node.target if isinstance(node.target, str) else node.target.__name__
        if name.removesuffix("_") not in FUNCTIONS:
            continue
        if node.op == "call_method":
            yield f"Tensor.{name}"
        elif node.op == "call_function":
            yield f"{'functional' if hasattr(functional, name) else 'torch'}.{name}"


def _without_effects(module: nn.Module) -> nn.Module:
    """A copy that shares parameters and children, but nothing that `forward` may change."""
    shared = {id(part): part for part in (*module.children(), *module.parameters())}
    duplicate = object.__new__(type(module))
    duplicate.__dict__ = copy.deepcopy(vars(module), shared)
    return duplicate


def shown(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
