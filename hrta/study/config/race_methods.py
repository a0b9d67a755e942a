"""The methods of a race, and the grids that they are tuned on."""

from dataclasses import dataclass
from itertools import product
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from hrta.schedules import Schedule
from hrta.study.config.stage_paths import LayerwisePath, StagePath
from hrta.study.config.values import (
    WITH_MOMENTUM,
    Activation,
    Adaptive,
    BaseName,
    BelowOne,
    Count,
    NonNegative,
    Number,
    OptimizerName,
    PositiveNumber,
    Several,
    Strict,
)

# The trainers that fit classes as well as numbers; the others fit only numbers.
CLASSIFIERS = {"perceptron"}
# The trainers that run on the CPU on any device, and why.
ON_CPU = {
    "anmin": "because its solves are small and in float64",
    "lbfgs": "because its line search evaluates one network at a time",
}


@dataclass(frozen=True)
class Candidate:
    """One combination of the tuned parameters; None for those that a method does not have."""

    learning_rate: float | None = None
    momentum: float | None = None
    ridge: float | None = None
    history_size: int | None = None
    recovery: float | None = None


class Grid(Strict):
    """The values of each tuned parameter; all combinations are tried."""

    learning_rate: Several[PositiveNumber] | None = None
    momentum: Several[BelowOne] | None = None
    ridge: Several[PositiveNumber] | None = None
    history_size: Several[Count] | None = None
    recovery: Several[NonNegative] | None = None

    @property
    def values(self) -> dict[str, list[float]]:
        """The values of each parameter of the grid."""
        return {name: value for name, value in self if value is not None}

    @property
    def candidates(self) -> list[Candidate]:
        """All combinations."""
        every = product(*self.values.values())
        return [Candidate(**dict(zip(self.values, each, strict=True))) for each in every]


class GradientMethod(StagePath):
    """`hrta.train` with a path and an optimizer, on all points or in minibatches.

    Attributes:
        batches: number of minibatches that the points are divided into.
    """

    trainer: Literal["gradient"]
    optimizer: OptimizerName
    batches: Count = 1

    @property
    def tuned(self) -> set[str]:
        """The parameters that the grid must have."""
        momentum = self.optimizer in WITH_MOMENTUM
        return {"learning_rate", "momentum"} if momentum else {"learning_rate"}


class PerceptronMethod(LayerwisePath):
    """Networks of L hidden layers with any activation, under Adam.

    Attributes:
        base: the activation sigma.
        hidden: L.
    """

    tuned: ClassVar[set[str]] = {"learning_rate"}
    trainer: Literal["perceptron"]
    base: BaseName
    hidden: Count

    @property
    def stage_count(self) -> int:
        """The number of stages."""
        return len(self.of_layers(self.hidden))

    def schedules(self, steps: int) -> list[Schedule]:
        """The schedule of each hidden layer, over this number of steps."""
        layers = zip(*self.of_layers(self.hidden), strict=True)
        return [Schedule.equal_parts(s, steps) for s in layers]


class AdaptiveMethod(Strict):
    """A two-layer network whose activations have trainable slopes, under Adam."""

    trainer: Literal["laaf"]
    activation: Activation
    adaptive: Adaptive
    scale: Annotated[Number, Field(ge=1)] = 10.0

    @property
    def tuned(self) -> set[str]:
        """The parameters that the grid must have."""
        fixed = self.adaptive == "none"
        return {"learning_rate"} if fixed else {"learning_rate", "recovery"}


class LimitedMemoryMethod(Strict):
    """`hrta.training.lbfgs`."""

    tuned: ClassVar[set[str]] = {"learning_rate", "history_size"}
    trainer: Literal["lbfgs"]


class AnalyticMethod(Strict):
    """`hrta.anmin`."""

    tuned: ClassVar[set[str]] = {"ridge"}
    trainer: Literal["anmin"]
    rounds: Count = 30
    leak: BelowOne = 0.0


RacedMethod = Annotated[
    GradientMethod | PerceptronMethod | AdaptiveMethod | LimitedMemoryMethod | AnalyticMethod,
    Field(discriminator="trainer"),
]


class Entry(Strict):
    """A method with the grid that it is tuned on."""

    method: RacedMethod
    grid: Grid

    @model_validator(mode="after")
    def _grid_fits(self) -> "Entry":
        if set(self.grid.values) != self.method.tuned:
            raise ValueError(
                f"the grid must have values of exactly {', '.join(sorted(self.method.tuned))}; it "
                f"has {', '.join(sorted(self.grid.values)) or 'none'}"
            )
        return self
