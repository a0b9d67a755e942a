"""Copies of a module with their trained parameters in one tensor."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from hrta.activations import HomotopyActivation
from hrta.training.engines.torch_engine import Function


def homotopy_activations(model: nn.Module) -> dict[str, HomotopyActivation]:
    """The homotopy activations of a model in order; the keys are the names of their s."""
    return {
        f"{name}.s": module
        for name, module in model.named_modules()
        if isinstance(module, HomotopyActivation)
    }


def trained_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that require a gradient, by name, in order."""
    return {name: each for name, each in model.named_parameters() if each.requires_grad}


class PackedModels(Function):
    """R models that differ only in the values of parameters and buffers.

    Every homotopy activation has its own s, the same for all runs.

    Args:
        models: the models; they are not changed.

    Attributes:
        parameters: the initial values of `trained_parameters`, one after the other, [R, P].
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        self._models, self._model = models, copy.deepcopy(models[0])
        self._activations = homotopy_activations(self._model)
        self._shapes = {name: each.shape for name, each in trained_parameters(models[0]).items()}
        packed = [parameters_to_vector(trained_parameters(each).values()) for each in models]
        # One tensor, so that an optimizer needs few calls.
        self.parameters = torch.stack(packed).detach()

    def _views_of(self, packed: Tensor) -> dict[str, Tensor]:
        """The parameters by name, [R, ...], as views of the packed ones."""
        parts = packed.split([shape.numel() for shape in self._shapes.values()], dim=1)
        named = zip(self._shapes.items(), parts, strict=True)
        return {name: part.view(len(packed), *shape) for (name, shape), part in named}

    def _set_s(self, s: np.ndarray) -> None:
        """Set the s of each activation, from s [R, activations]."""
        for activation, value in zip(self._activations.values(), s[0].tolist(), strict=True):
            activation.s = value

    def networks(self, parameters: Tensor) -> list[nn.Module]:
        """Copies of the models with these parameters and the current s."""
        copies = copy.deepcopy(list(self._models))
        views = self._views_of(parameters)
        for run, each in enumerate(copies):
            with torch.no_grad():
                for name, weight in trained_parameters(each).items():
                    weight.copy_(views[name][run])
            for name, activation in homotopy_activations(each).items():
                activation.s = float(self._activations[name].s)
        return copies
