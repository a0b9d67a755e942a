"""The loss of an ensemble of any module; gradients by automatic differentiation."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from hrta.problems.problem import Problem
from hrta.training.objectives.packed_models import PackedModels

State = dict[str, Tensor]


class ModuleEnsemble(PackedModels):
    """The loss of R models that differ only in the values of parameters and buffers.

    Args:
        problem: the points, cast to the dtype and device of the parameters.
        models: the models; they are not changed.
    """

    def __init__(self, problem: Problem, models: list[nn.Module]) -> None:
        super().__init__(models)
        parameters, buffers = stack_module_state(models)
        self._fixed = {
            name: each.detach()
            for name, each in (parameters | buffers).items()
            if name not in self._shapes and name not in self._activations
        }
        self._packed: Tensor | None = None
        self._views: State = {}
        over_runs = partial(vmap, in_dims=(0, 0, None))
        points = _Points(self._model, problem.x, problem.y, self.parameters)
        gradient_and_loss = over_runs(grad_and_value(points.loss))
        # Traced once: the overhead of torch.func at every step would exceed the arithmetic.
        # By one thread: on a GPU a backward pass has others, which the tracer does not see.
        with torch.no_grad(), torch.autograd.set_multithreading_enabled(False):
            state = self._views_of(self.parameters), self._fixed, self._s_of_activations()
            self._gradient_and_loss = make_fx(gradient_and_loss)(*state)
        self._measures: Callable[..., tuple[Tensor, ...]] | None = None
        self.worst = [math.inf]
        if problem.x_test is not None:
            test_points = _Points(self._model, problem.x_test, problem.y_test, self.parameters)
            self._measures = over_runs(test_points.measures)
            self.worst = [math.inf, math.inf, *[1.0] * (problem.classes is not None)]

    def _views_of(self, packed: Tensor) -> State:
        if packed is not self._packed:
            self._packed, self._views = packed, super()._views_of(packed)
        return self._views

    def _s_of_activations(self) -> State:
        return {name: activation.s for name, activation in self._activations.items()}

    def prepare_s(self, s: np.ndarray, like: Tensor) -> State:
        """The s of each activation as a tensor, from s [R, activations]."""
        self._set_s(s)
        return self._s_of_activations()

    def value_and_gradient(
        self, parameters: Tensor, s: State, gradient: Tensor, sample: None = None
    ) -> Tensor:
        gradients, losses = self._gradient_and_loss(self._views_of(parameters), self._fixed, s)
        flat = [gradients[name].reshape(len(losses), -1) for name in self._shapes]
        torch.cat(flat, dim=1, out=gradient)
        return losses

    def test_measures(self, parameters: Tensor, s: State, sample: None = None) -> list[Tensor]:
        if self._measures is None:
            return []
        return list(self._measures(self._views_of(parameters), self._fixed, s))


class _Points:
    """The loss of one model on one set of points, a function of its parameters and buffers."""

    def __init__(self, model: nn.Module, x: Any, y: Any, like: Tensor) -> None:
        self._model, self._x, y = model, torch.as_tensor(x).to(like), torch.as_tensor(y)
        self._y = y.to(like) if y.is_floating_point() else y.to(like.device)

    def loss(self, *state: State) -> Tensor:
        """Half the mean squared error or, for classes, the mean cross-entropy."""
        return self._loss(functional_call(self._model, state, (self._x,)))

    def measures(self, *state: State) -> tuple[Tensor, ...]:
        """The loss and, for classes, the fraction of misclassified points."""
        outputs = functional_call(self._model, state, (self._x,))
        if self._y.is_floating_point():
            return (self._loss(outputs),)
        return self._loss(outputs), (outputs.argmax(dim=1) != self._y).to(outputs.dtype).mean()

    def _loss(self, outputs: Tensor) -> Tensor:
        if self._y.is_floating_point():
            return 0.5 * (outputs.reshape(self._y.shape) - self._y).square().mean()
        # cross_entropy gives the same value, but its softmax is slower than the rest of the step.
        of_class = outputs.gather(1, self._y[:, None]).squeeze(1)
        return (outputs.logsumexp(dim=1) - of_class).mean()
