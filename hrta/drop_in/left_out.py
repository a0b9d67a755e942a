"""The activations of a model that are not converted: other modules, and calls of functions."""

import copy
import io
import random
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress

import numpy as np
import torch
from torch import fx, nn
from torch.nn.utils.parametrize import ParametrizationList

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
    """The activations of a model that are modules, registered or not, or a layer's function."""
    left = []
    of_weights = {
        part for each in model.modules() if isinstance(each, ParametrizationList) for part in each
    }
    for name, module in model.named_modules():
        if isinstance(module, ACTIVATIONS) and module not in of_weights:
            left.append(f"{name or 'the model'} ({type(module).__name__})")
        function = module.activation if isinstance(module, TRANSFORMER_LAYERS) else None
        if function is not None and not isinstance(function, nn.Module):
            left.append(
                f"{_joined(name, 'activation')} ({getattr(function, '__name__', function)})"
            )
        left += [f"{_joined(name, held)} (held in no module)" for held in _held(module)]
    return left


def _joined(module: str, name: str) -> str:
    return f"{module}.{name}".removeprefix(".")


def _held(module: nn.Module) -> Iterator[str]:
    """The attributes of a module that hold activations in a list, tuple or dictionary."""
    for name, value in vars(module).items():
        if name.startswith("_") or not isinstance(value, list | tuple | dict):
            continue
        held = value.values() if isinstance(value, dict) else value
        if any(isinstance(each, ACTIVATIONS) for each in held):
            yield name


def functions_called(model: nn.Module) -> list[str]:
    """The activation functions that each module calls in its own `forward`, where fx traces it."""
    shared = {id(part): part for part in (*model.modules(), *model.parameters())}
    calls = []
    for name, module in model.named_modules():
        # Where forward is defined: a parametrized class is made by torch.
        where = getattr(type(module).forward, "__module__", None) or ""
        if not where.startswith(("torch.", "hrta.")) and not isinstance(module, ACTIVATIONS):
            names = sorted(set(_calls(module, shared)))
            calls += [f"{name or 'the model'} calls {called}" for called in names]
    return calls


class _OwnForward(fx.Tracer):
    """Traces a module without looking into those that it contains."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return True


def _calls(module: nn.Module, shared: Mapping[int, object]) -> Iterator[str]:
    """The activation functions in `forward`, up to where fx can trace it."""
    tracer = _OwnForward()
    with (
        _random_state_kept(),
        redirect_stdout(io.StringIO()),
        warnings.catch_warnings(action="ignore"),
        # Whatever a forward does with what is no tensor.
        suppress(Exception, SystemExit),
    ):
        tracer.trace(_without_effects(module, shared))
    for node in tracer.graph.nodes if hasattr(tracer, "graph") else ():
        if node.op == "call_method" and _is_activation(node.target):
            yield f"Tensor.{node.target}"
        elif node.op == "call_function" and _is_activation(getattr(node.target, "__name__", "")):
            name = node.target.__name__
            of_torch = getattr(torch, name, None) is node.target
            yield f"{'torch' if of_torch else 'functional'}.{name}"


def _is_activation(name: str) -> bool:
    return name.removesuffix("_") in FUNCTIONS


def _without_effects(module: nn.Module, shared: Mapping[int, object]) -> nn.Module:
    """A copy that shares modules and parameters, but nothing that `forward` may change.

    Buffers have no memory in it. What cannot be copied is shared.
    """
    memo = dict(shared)
    memo.update((id(buffer), buffer.to("meta")) for buffer in module.buffers(recurse=False))
    duplicate = object.__new__(type(module))
    for name, value in vars(module).items():
        try:
            duplicate.__dict__[name] = copy.deepcopy(value, memo)
        except Exception:  # locks, tensors with a history
            duplicate.__dict__[name] = value
    return duplicate


@contextmanager
def _random_state_kept() -> Iterator[None]:
    python, arrays = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(arrays)  # noqa: NPY002


def listed(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
