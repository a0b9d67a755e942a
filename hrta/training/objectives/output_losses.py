"""Losses of outputs [R, k, n] of R runs, and their derivatives, in the memory of the outputs."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn import functional


class OutputLoss(ABC):
    """The loss of each run, a mean over n points; its methods overwrite the outputs."""

    @abstractmethod
    def value(self, outputs: Tensor) -> Tensor:
        """The loss of each run, [R]."""

    @abstractmethod
    def value_and_derivative(self, outputs: Tensor) -> Tensor:
        """The loss of each run, [R]; the outputs become its derivative with respect to them."""

    def measures(self, outputs: Tensor) -> list[Tensor]:
        """The loss and other measures of each run, [R] each."""
        return [self.value(outputs)]


class SquaredError(OutputLoss):
    """1/(2n) sum_i (f_i - y_i)^2 of a single output f.

    Args:
        y: targets, [n].
    """

    def __init__(self, y: Tensor) -> None:
        self._y = y

    def value(self, outputs: Tensor) -> Tensor:
        return 0.5 * outputs.sub_(self._y).square().mean(dim=(1, 2))

    def value_and_derivative(self, outputs: Tensor) -> Tensor:
        losses = self.value(outputs)
        outputs.mul_(1 / len(self._y))
        return losses


class CrossEntropy(OutputLoss):
    """The mean over points of log sum_k exp f_k - f_y; measures the misclassified fraction, too.

    Args:
        labels: the class y of each point, [n].
        classes: number of classes and outputs.
        like: a tensor of the dtype and on the device of the outputs.
    """

    def __init__(self, labels: Tensor, classes: int, like: Tensor) -> None:
        self._labels = labels
        self._of_class = functional.one_hot(labels, classes).T.to(like)
        self._floor = math.log(2 * torch.finfo(like.dtype).tiny)
        # Of several largest outputs the first decides: the one of the largest rank.
        self._ranks = torch.arange(classes, 0, -1).to(like)[:, None]
        self._rank_of_class = self._ranks[labels, 0]

    def value(self, outputs: Tensor) -> Tensor:
        return self._value_and_sum(outputs, outputs.amax(dim=1, keepdim=True))[0]

    def value_and_derivative(self, outputs: Tensor) -> Tensor:
        largest = outputs.amax(dim=1, keepdim=True)
        losses, total = self._value_and_sum(outputs, largest)
        outputs.div_(total).sub_(self._of_class).mul_(1 / len(self._labels))
        return losses

    def measures(self, outputs: Tensor) -> list[Tensor]:
        largest = outputs.amax(dim=1, keepdim=True)
        # Faster than argmax and boolean tensors.
        ranks = torch.eq(outputs, largest, out=torch.empty_like(outputs)).mul_(self._ranks)
        predicted = ranks.amax(dim=1)
        errors = torch.ne(predicted, self._rank_of_class, out=predicted).mean(dim=1)
        return [self._value_and_sum(outputs, largest)[0], errors]

    def _value_and_sum(self, outputs: Tensor, largest: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, [R], and sum_k exp(f_k - max f), [R, 1, n]; exp(f - max f) to the outputs."""
        of_class = outputs.gather(1, self._labels.expand(len(outputs), 1, -1))
        # The floor is too small to change the sum; exp is slow where its value would be denormal.
        outputs.sub_(largest).clamp_(min=self._floor).exp_()
        total = outputs.sum(dim=1, keepdim=True)
        return (total.log() + largest - of_class).mean(dim=(1, 2)), total
