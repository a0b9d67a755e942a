"""The configuration of the neighbouring papers' methods: their own claims, and the race."""

from typing import Annotated

from pydantic import Field, model_validator

from hrta.study.config.mistakes import check_names, refuse
from hrta.study.config.races import Race
from hrta.study.config.values import (
    Activation,
    Adaptive,
    BelowOne,
    Count,
    Fraction,
    Label,
    Name,
    NonNegative,
    Number,
    PositiveNumber,
    Several,
    Sourced,
    Strict,
)


class Variant(Strict):
    """What is adaptive, and the weight of slope recovery."""

    label: Label
    adaptive: Adaptive
    recovery: NonNegative


class AdaptiveSlopes(Strict):
    """Where deep networks with adaptive slopes are compared with fixed ones."""

    experiment: str
    hidden: Sourced[Annotated[list[Count], Field(min_length=1)]]
    activation: Activation
    variants: Annotated[dict[Name, Variant], Field(min_length=1)]
    scale: Sourced[Annotated[Number, Field(ge=1)]]
    learning_rate: Sourced[PositiveNumber]
    steps: Sourced[Count]
    solution_steps: Sourced[Several[Count]]
    seeds: Sourced[Count]
    log_every: Sourced[Count]

    @model_validator(mode="after")
    def _fits(self) -> "AdaptiveSlopes":
        for name in self.variants:
            if name.endswith("_solutions"):
                refuse(["variants"], name, "no name may end in _solutions, as files do")
        late = [step for step in self.solution_steps.value if step > self.steps.value]
        if late:
            refuse(["solution_steps", "value"], late, f"there are {self.steps.value} steps")
        return self


class AcceleratedProblem(Strict):
    """An experiment with a number of points of its own, or a set of real data."""

    label: Label
    points: Sourced[Count] | None = None


class Acceleration(Strict):
    """Where heavy ball and Nesterov train the inner weights alone."""

    problems: Annotated[dict[Name, AcceleratedProblem], Field(min_length=1)]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Count]
    steps: Sourced[Count]
    step_fraction: Sourced[Fraction]
    log_every: Sourced[Count]


class Alternation(Strict):
    """Where exact alternating minimisation is followed round by round, as its source runs it.

    The race must have the problems with this width, too.
    """

    problems: Several[str]
    width: Sourced[Count]
    rounds: Sourced[Count]
    ridge: Sourced[PositiveNumber]
    leak: Sourced[BelowOne]
    seeds: Sourced[Count]
    against: Several[str]


class Competitors(Strict):
    """The neighbouring papers' methods."""

    adaptive_slopes: AdaptiveSlopes
    acceleration: Acceleration
    alternation: Alternation
    race: Race

    @model_validator(mode="after")
    def _alternation_fits(self) -> "Competitors":
        width, against = self.alternation.width.value, self.alternation.against
        raced = [name for name, each in self.race.problems.items() if width in each.widths.value]
        for name in self.alternation.problems:
            if name not in raced:
                why = f"of width {width} the race has {', '.join(raced)}"
                refuse(["alternation", "problems"], name, why)
        if len(against) < 2 or "anmin" not in against:
            why = "anmin must be among them, and another method"
            refuse(["alternation", "against"], against, why)
        check_names(["alternation", "against"], against, self.race.methods)
        return self
