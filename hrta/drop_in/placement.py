"""Which activations of torch have a homotopy, and how one takes the place of another."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from hrta.runtime.arguments import shown

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


def check_model(model: object, where: str) -> None:
    """Raise a ValueError if the model is not a module; `where` begins it."""
    if not isinstance(model, nn.Module):
        raise ValueError(f"{where}: model must be a torch.nn.Module; it is {shown(model)}")


def place(parent: nn.Module, name: str, activation: nn.Module) -> None:
    """Set the activation of a module, and what torch's transformer layers remember of it."""
    if (replaced := parent._modules.get(name)) is not None:
        keep_hooks(replaced, activation)
    setattr(parent, name, activation)
    if isinstance(parent, nn.TransformerEncoderLayer):
        fused = {nn.ReLU: 1, nn.GELU: 2}
        parent.activation_relu_or_gelu = fused.get(type(activation), 0)
    if isinstance(parent, nn.TransformerDecoderLayer):
        # A copy of a decoder layer without this entry gets ReLU.
        vars(parent)["activation"] = activation


def keep_hooks(replaced: nn.Module, activation: nn.Module) -> None:
    """Give the hooks of forward and backward passes to the activation that takes the place."""
    for name, hooks in vars(replaced).items():
        if name.startswith(("_forward", "_backward", "_is_full_backward", "_non_full_backward")):
            # The same dictionaries: the handles of hooks remove them there.
            vars(activation)[name] = hooks
