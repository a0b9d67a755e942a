"""What every engine does: hold an ensemble in training and move it on by some steps."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from hrta.networks.two_layer import TwoLayer
from hrta.runtime.resumable import Resumable
from hrta.training.minibatches import Minibatches


@dataclass(frozen=True, eq=False)
class Points:
    """Points with a last column of ones, x [n, D], and targets y [n], as the networks' tensors."""

    x: Tensor
    y: Tensor


@dataclass(frozen=True, eq=False)
class Setting:
    """What stays the same from the first step to the last.

    Attributes:
        points: what is trained on.
        test: points whose loss is logged, too, if any.
        optimizer: gradient_descent, heavy_ball, nesterov or adam.
        momentum: beta of heavy_ball and nesterov.
        learning_rate: of each run before decay, [R] float64.
        fixed_outer: whether the outer weights stay as they are.
        batches: which points each update of each run sees; all of them if not given.
        preserve_function: whether `Engine.preserve` will be called.
    """

    points: Points
    test: Points | None
    optimizer: str
    momentum: float
    learning_rate: np.ndarray
    fixed_outer: bool = False
    batches: Minibatches | None = None
    preserve_function: bool = False


class Engine(Resumable, ABC):
    """An ensemble of R networks in training; begins with a copy of the networks it is given.

    Attributes:
        name: what it is asked for by.
        diverged: the step at which the loss of each run was found to be non-finite, [R]; -1 for a
            run that is well. The weights of a diverged run stay as they are, and its losses are
            infinite.
        skip: what `preserve` has added to the functions, c of c . (x, 1), [R, d + 1] float64.
    """

    name: str
    diverged: np.ndarray
    skip: np.ndarray
    # The attributes with the runs along the first axis.
    _of_each_run: tuple[str, ...] = ("diverged", "skip")
    _kept = ("diverged", "skip", "_step")

    def __init__(self, networks: TwoLayer, setting: Setting) -> None:
        self.diverged = np.full(networks.runs, -1)
        self.skip = np.zeros((networks.runs, networks.inputs + 1))

    @abstractmethod
    def advance(
        self, s: np.ndarray, factors: np.ndarray, logged: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """T updates.

        Args:
            s: homotopy parameter of each run, [R] float64.
            factors: of the learning rate at each step, [T] float64.
            logged: at which of the steps the losses are wanted, [T] bool.

        Returns:
            Loss and test loss of each run before the update of each logged step, [R, logged] each;
            without test points the latter is NaN.
        """

    @abstractmethod
    def measure(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Loss and test loss of each run as it is now, [R] each, for s as in `advance`."""

    @abstractmethod
    def reset(self, runs: np.ndarray) -> None:
        """Let the optimizer of the chosen runs, a mask [R], start afresh."""

    def preserve(self, before: np.ndarray, after: np.ndarray) -> None:
        """Go over from s = before to after, [R] each, with the same functions.

        The networks' share of the linear part that changes goes into `skip`, which is not trained:
        targets are met by the networks and the skip term together.
        """
        well = self.diverged < 0
        before, after = np.where(well, before, 1.0), np.where(well, after, 1.0)
        moved, skip = self.networks().preserving(before, after)
        self.skip = self.skip + skip
        self._carry(moved)

    def _carry(self, networks: TwoLayer) -> None:
        """Go on with the outer weights of `networks`, and with targets less the skip term."""
        raise ValueError(f"engine {self.name}: it knows no function-preserving switch")

    def branch(self, parents: np.ndarray) -> None:
        """Go on with copies of the runs `parents`, [R'] indices, and of their optimizers' state."""
        for name in self._of_each_run:
            setattr(self, name, getattr(self, name)[parents])

    @abstractmethod
    def networks(self) -> TwoLayer:
        """The networks as they are now, a copy."""
