"""The specs of the jobs on deep networks with adaptive slopes and on Poisson problems."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hrta.study.config.base_spec import Methods, Spec
from hrta.study.config.mistakes import refuse
from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.values import (
    Activation,
    Adaptive,
    Count,
    Fraction,
    NonNegative,
    Number,
    PositiveNumber,
    QuadratureName,
    Several,
    Strict,
)

Layers = Annotated[list[Count], Field(min_length=1)]
Scale = Annotated[Number, Field(ge=1)]


class AdaptiveSpec(Spec):
    """Deep networks with locally adaptive activations; losses are mean squares."""

    job: Literal["laaf"] = "laaf"
    problem: ProblemSource
    hidden: Layers
    activation: Activation
    adaptive: Adaptive
    scale: Scale
    recovery: NonNegative
    steps: Count
    learning_rate: PositiveNumber
    decay: Fraction
    seeds: Count
    log_every: Count


class SlopeVariant(Strict):
    """A kind of adaptive slopes with a weight of slope recovery."""

    adaptive: Adaptive
    recovery: NonNegative


class SlopesSpec(Spec):
    """Deep networks with adaptive and with fixed slopes, from the same initial weights.

    Attributes:
        solution_steps: steps after which the predictions are kept.
    """

    second_table = "solutions"
    job: Literal["slopes"] = "slopes"
    experiment: str
    problem: ProblemSource
    variants: Annotated[dict[str, SlopeVariant], Field(min_length=1)]
    hidden: Layers
    activation: Activation
    scale: Scale
    steps: Count
    solution_steps: Several[Count]
    learning_rate: PositiveNumber
    seeds: Count
    log_every: Count

    @model_validator(mode="after")
    def _steps_exist(self) -> "SlopesSpec":
        late = [step for step in self.solution_steps if step > self.steps]
        if late:
            refuse(["solution_steps"], late, f"there are {self.steps} steps")
        return self


class PoissonSpec(Spec):
    """Two-layer ReLU^2 networks that minimise the energy of a Poisson problem: Deep Ritz.

    Attributes:
        solution: name of the exact solution.
        points: number of points of the quadrature.
    """

    second_table = "solutions"
    resumable = True
    job: Literal["poisson"] = "poisson"
    experiment: str
    solution: str
    methods: Methods
    points: Count
    quadrature: QuadratureName
    width: Count
    stage_steps: Count
    learning_rates: Several[PositiveNumber]
    decay: Fraction
    seeds: Count
    log_every: Count

    @property
    def sources(self) -> list[ProblemSource]:
        """Empty: the quadrature makes the points."""
        return []
