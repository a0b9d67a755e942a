"""Copies of any module as one ensemble: their losses, and the gradient by differentiation."""

import copy

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from hrta.activations import HomotopyActivation
from hrta.problems.problem import Problem

State = dict[str, Tensor]


def homotopy_activations(model: nn.Module) -> dict[str, HomotopyActivation]:
    """The homotopy activations of a model, in order, by the names of their s."""
    return {
        f"{name}.s": module
        for name, module in model.named_modules()
        if isinstance(module, HomotopyActivation)
    }


class ModuleEnsemble:
    """R models of one form, the same for all but the numbers in them, and a problem.

    Args:
        problem: the points, cast to the dtype and device of the parameters.
        models: left untouched.

    Attributes:
        model: what they are copies of; all have the s of its homotopy activations.
        parameters: those that require a gradient, packed, [R, P].
    """

    def __init__(self, problem: Problem, models: list[nn.Module]) -> None:
        self.model = copy.deepcopy(models[0])
        self._activations = homotopy_activations(self.model)
        parameters, buffers = stack_module_state(models)
        trained = {name: each for name, each in parameters.items() if each.requires_grad}
        self._fixed = {
            name: each.detach()
            for name, each in (parameters | buffers).items()
            if name not in trained and name not in self._activations
        }
        # All in one tensor, so that an optimizer needs few calls; the models take views of it.
        flat = [each.detach().reshape(len(models), -1) for each in trained.values()]
        self.parameters = torch.cat(flat, dim=1)
        parts = self.parameters.split([each.shape[1] for each in flat], dim=1)
        self._views = {
            name: part.view(each.shape)
            for (name, each), part in zip(trained.items(), parts, strict=True)
        }
        over_runs = {"in_dims": (0, 0, None)}
        fitted = _Points(self.model, problem.x, problem.y, self.parameters)
        gradient_and_loss = vmap(grad_and_value(fitted.loss), **over_runs)
        # Traced once: the layers of torch.func would cost more than the arithmetic at every step.
        self._gradient_and_loss = make_fx(gradient_and_loss)(*self._state())
        self._measures = None
        if problem.x_test is not None:
            tested = _Points(self.model, problem.x_test, problem.y_test, self.parameters)
            self._measures = vmap(tested.measures, **over_runs)

    def _state(self) -> tuple[State, State, State]:
        """The parameters and what is not trained, of each run; s, of all of them."""
        s = {name: activation.s for name, activation in self._activations.items()}
        return self._views, self._fixed, s

    def value_and_gradient(self, gradient: Tensor) -> Tensor:
        """The loss of each run, [R]; its gradient is written to `gradient`, packed alike."""
        gradients, losses = self._gradient_and_loss(*self._state())
        flat = [gradients[name].reshape(len(losses), -1) for name in self._views]
        torch.cat(flat, dim=1, out=gradient)
        return losses

    def test_measures(self) -> tuple[Tensor, ...]:
        """Test loss and, for classes, test error of each run, [R]; nothing without test points."""
        return () if self._measures is None else self._measures(*self._state())

    def models(self, like: list[nn.Module]) -> list[nn.Module]:
        """Copies of these models with the parameters and the s as they are now."""
        copies = copy.deepcopy(like)
        for run, each in enumerate(copies):
            for name, weight in each.named_parameters():
                if name in self._views:
                    weight.copy_(self._views[name][run])
            for name, activation in homotopy_activations(each).items():
                activation.s = self._activations[name].s
        return copies


class _Points:
    """One model on one set of points; its parameters and buffers are given with each call."""

    def __init__(self, model: nn.Module, x: object, y: object, like: Tensor) -> None:
        self._model, self._x, y = model, torch.as_tensor(x).to(like), torch.as_tensor(y)
        self._y = y.to(like) if y.is_floating_point() else y.to(like.device)

    def loss(self, *state: State) -> Tensor:
        """Half the mean square or, for classes, the mean cross-entropy."""
        return self._loss(functional_call(self._model, state, (self._x,)))

    def measures(self, *state: State) -> tuple[Tensor, ...]:
        """The loss and, for classes, the share of points whose largest output is another's."""
        outputs = functional_call(self._model, state, (self._x,))
        if self._y.is_floating_point():
            return (self._loss(outputs),)
        return self._loss(outputs), (outputs.argmax(dim=1) != self._y).to(outputs.dtype).mean()

    def _loss(self, outputs: Tensor) -> Tensor:
        if self._y.is_floating_point():
            return 0.5 * (outputs.reshape(self._y.shape) - self._y).square().mean()
        # Not cross_entropy: its softmax takes longer than all the rest, and returns the same.
        of_class = outputs.gather(1, self._y[:, None]).squeeze(1)
        return (outputs.logsumexp(dim=1) - of_class).mean()
