"""The loss of an ensemble of perceptrons, and its gradient in closed form."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hrta.activations import HomotopyActivation
from hrta.networks.perceptron import Perceptron, ScaledLinear
from hrta.problems.problem import Problem
from hrta.training.objectives.output_losses import CrossEntropy, OutputLoss, SquaredError
from hrta.training.objectives.packed_models import PackedModels
from hrta.training.objectives.perceptron_pass import Block, Shape, make_blocks


def is_plain_perceptron(model: nn.Module) -> bool:
    """Whether a model has the layers and the trained parameters of a new `Perceptron`."""
    if type(model) is not Perceptron:
        return False
    types = [type(layer) for layer in model.layers]
    hidden = len(types) // 2
    if not hidden or types != [ScaledLinear, HomotopyActivation] * hidden + [ScaledLinear]:
        return False
    shape = Shape.of(model)
    new = Perceptron(shape.inputs, shape.width, hidden, shape.outputs)
    return _parameters(model) == _parameters(new)


def _parameters(model: nn.Module) -> list[tuple]:
    return [(name, each.shape, each.requires_grad) for name, each in model.named_parameters()]


class PerceptronEnsemble(PackedModels):
    """The loss of R perceptrons for which `is_plain_perceptron`, several times faster.

    Args:
        problem: the points, cast to the dtype and device of the parameters.
        models: the models; they are not changed.
    """

    def __init__(self, problem: Problem, models: Sequence[Perceptron]) -> None:
        super().__init__(models)
        shape = Shape.of(models[0])
        self._fit = _Points(shape, problem.x, problem.y, self.parameters)
        self._test, self.worst = None, [math.inf]
        if problem.x_test is not None:
            self._test = _Points(shape, problem.x_test, problem.y_test, self.parameters)
            self.worst = [math.inf, math.inf, *[1.0] * (problem.classes is not None)]

    def prepare_s(self, s: np.ndarray, like: Tensor) -> list[float]:
        """The s of each hidden layer, from s [R, layers]."""
        self._set_s(s)
        return s[0].tolist()

    def value_and_gradient(
        self,
        parameters: Tensor,
        s: list[float],
        gradient: Tensor,
        sample: None = None,
    ) -> Tensor:
        losses = []
        for block in self._fit.blocks(parameters, gradient):
            outputs = block.outputs(s)
            losses.append(self._fit.loss.value_and_derivative(outputs))
            block.backward(s, outputs)
        return torch.cat(losses)

    def test_measures(
        self, parameters: Tensor, s: list[float], sample: None = None
    ) -> list[Tensor]:
        if self._test is None:
            return []
        blocks = self._test.blocks(parameters)
        measures = [self._test.loss.measures(block.outputs(s)) for block in blocks]
        return [torch.cat(each) for each in zip(*measures, strict=True)]


class _Points:
    """A set of points: the loss of outputs there, and the blocks of the last parameters."""

    def __init__(self, shape: Shape, x: Any, y: Any, like: Tensor) -> None:
        self._shape, self._x, y = shape, torch.as_tensor(x).to(like), torch.as_tensor(y)
        self.loss: OutputLoss
        if y.is_floating_point():
            self.loss = SquaredError(y.to(like))
        else:
            self.loss = CrossEntropy(y.to(like.device), shape.outputs, like)
        self._of: tuple[Tensor | None, ...] = ()
        self._blocks: list[Block] = []

    def blocks(self, parameters: Tensor, gradient: Tensor | None = None) -> list[Block]:
        """Blocks that read these parameters and write this gradient."""
        of = (parameters, gradient)
        if not self._of or any(new is not old for new, old in zip(of, self._of, strict=True)):
            self._of = of
            self._blocks = make_blocks(self._shape, self._x, parameters, gradient)
        return self._blocks
