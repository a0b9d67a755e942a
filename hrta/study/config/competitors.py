"""The configuration of the competing methods of related papers: their experiments, the race."""

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
    """A kind of adaptive slopes with a weight of slope recovery."""

    label: Label
    adaptive: Adaptive
    recovery: NonNegative


class AdaptiveSlopes(Strict):
    """The experiment that compares deep networks with adaptive and with fixed slopes."""

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
                refuse(["variants"], name, "must not end in _solutions, the suffix of files")
        late = [step for step in self.solution_steps.value if step > self.steps.value]
        if late:
            refuse(["solution_steps", "value"], late, f"there are {self.steps.value} steps")
        return self


class AcceleratedProblem(Strict):
    """An experiment, possibly with another number of points, or a set of real data."""

    label: Label
    points: Sourced[Count] | None = None


class Acceleration(Strict):
    """The experiment in which heavy ball and Nesterov train the inner weights alone."""

    problems: Annotated[dict[Name, AcceleratedProblem], Field(min_length=1)]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Count]
    steps: Sourced[Count]
    step_fraction: Sourced[Fraction]
    log_every: Sourced[Count]


class Alternation(Strict):
    """The experiment on exact alternating minimisation, round by round.

    Attributes:
        problems: problems of the race, which must have them with this width.
        against: methods of the race that are compared: anmin and others.
    """

    problems: Several[str]
    width: Sourced[Count]
    rounds: Sourced[Count]
    ridge: Sourced[PositiveNumber]
    leak: Sourced[BelowOne]
    seeds: Sourced[Count]
    against: Several[str]


class Competitors(Strict):
    """The competing methods of related papers."""

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
                why = f"with width {width} the race has {', '.join(raced)}"
                refuse(["alternation", "problems"], name, why)
        if len(against) < 2 or "anmin" not in against:
            why = "must have anmin and another method"
            refuse(["alternation", "against"], against, why)
        check_names(["alternation", "against"], against, self.race.methods)
        return self
