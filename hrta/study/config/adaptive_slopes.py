"""Deep networks with locally adaptive activations: configuration, specs, jobs."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from hrta.study.config.base_spec import EXPERIMENT, DeviceSpec, Jobs
from hrta.study.config.mistakes import refuse
from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.values import (
    Activation,
    Adaptive,
    Count,
    Fraction,
    Label,
    Name,
    NonNegative,
    Number,
    PositiveNumber,
    Seeds,
    Several,
    Sourced,
    Strict,
)

if TYPE_CHECKING:
    from hrta.study.config.replication import Replication


Layers = Annotated[list[Count], Field(min_length=1)]
Scale = Annotated[Number, Field(ge=1)]


class Variant(Strict):
    """A kind of adaptive slopes with a weight of slope recovery."""

    label: Label
    adaptive: Adaptive
    recovery: NonNegative


class AdaptiveSlopes(Strict):
    """The experiment that compares deep networks with adaptive and with fixed slopes."""

    experiment: str
    hidden: Sourced[Layers]
    activation: Activation
    variants: Annotated[dict[Name, Variant], Field(min_length=1)]
    scale: Sourced[Scale]
    learning_rate: Sourced[PositiveNumber]
    steps: Sourced[Count]
    solution_steps: Sourced[Several[Count]]
    seeds: Sourced[Seeds]
    log_every: Sourced[Count]

    @model_validator(mode="after")
    def _fits(self) -> "AdaptiveSlopes":
        for name in self.variants:
            if name.endswith("_solutions"):
                refuse(["variants"], name, "must not end in _solutions, the suffix of files")
        at = ["solution_steps", "value"]
        _check_solution_steps(at, self.solution_steps.value, self.steps.value)
        return self


class SlopeVariant(Strict):
    """A kind of adaptive slopes with a weight of slope recovery."""

    adaptive: Adaptive
    recovery: NonNegative


class SlopesSpec(DeviceSpec):
    """Deep networks with adaptive and with fixed slopes, from the same initial weights.

    Attributes:
        solution_steps: steps after which the predictions are kept.
    """

    module = "slopes"
    sections = ("competitors.adaptive_slopes", EXPERIMENT)
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
    seeds: Seeds
    log_every: Count

    @model_validator(mode="after")
    def _steps_exist(self) -> "SlopesSpec":
        _check_solution_steps(["solution_steps"], self.solution_steps, self.steps)
        return self


class AdaptiveSpec(DeviceSpec):
    """Deep networks with locally adaptive activations; losses are mean squares."""

    module = "adaptive"
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
    seeds: Seeds
    log_every: Count


def _check_solution_steps(at: list[str], solution_steps: list[int], steps: int) -> None:
    late = [step for step in solution_steps if step > steps]
    if late:
        refuse(at, late, f"there are {steps} steps")


def slopes_jobs(settings: "Replication") -> Jobs:
    """A job for each variant."""
    slopes = settings.competitors.adaptive_slopes
    for name, variant in slopes.variants.items():
        variants = {name: SlopeVariant.of(variant)}
        problem = settings.stored(slopes.experiment)
        yield (
            f"slopes/{name}",
            SlopesSpec.of(slopes, device=settings.device, problem=problem, variants=variants),
        )
