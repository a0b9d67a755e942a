"""The configuration of the sibling methods: their own claims, and the race."""

from typing import Annotated, Literal

from pydantic import Field

from hrta.problems.datasets import INCLUDED
from hrta.study.config.races import Mistake, Race, mistakes_of_race
from hrta.study.config.values import (
    Count,
    Fraction,
    Label,
    Name,
    Number,
    PositiveNumber,
    Several,
    Sourced,
    Strict,
)


class Variant(Strict):
    """What is adaptive, and the weight of slope recovery."""

    label: Label
    adaptive: Literal["none", "layer", "neuron"]
    recovery: Annotated[Number, Field(ge=0)]


class AdaptiveSlopes(Strict):
    """Where deep networks with adaptive slopes are compared with fixed ones."""

    experiment: str
    hidden: Sourced[Annotated[list[Count], Field(min_length=1)]]
    activation: Literal["tanh", "relu"]
    variants: Annotated[dict[Name, Variant], Field(min_length=1)]
    scale: Sourced[Annotated[Number, Field(ge=1)]]
    learning_rate: Sourced[PositiveNumber]
    steps: Sourced[Count]
    checkpoints: Sourced[Several[Count]]
    seeds: Sourced[Count]
    log_every: Sourced[Count]


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
    leak: Sourced[Annotated[Number, Field(ge=0, lt=1)]]
    seeds: Sourced[Count]
    against: Several[str]


class Siblings(Strict):
    """The neighbouring papers' methods."""

    adaptive_slopes: AdaptiveSlopes
    acceleration: Acceleration
    alternation: Alternation
    race: Race


def mistakes(siblings: Siblings, experiments: set[str]) -> list[Mistake]:
    """What does not fit together: the path of a key, what was given, and what is wrong with it."""
    slopes, race = siblings.adaptive_slopes, siblings.race
    found = []
    for at, names in (
        (["acceleration", "problems"], siblings.acceleration.problems),
        (["race", "problems"], race.problems),
    ):
        known = [*sorted(experiments), *INCLUDED]
        found += [
            ([*at, name], name, f"allowed are {', '.join(known)}")
            for name in names
            if name not in known
        ]
    if slopes.experiment not in experiments:
        allowed = f"allowed are {', '.join(sorted(experiments))}"
        found.append((["adaptive_slopes", "experiment"], slopes.experiment, allowed))
    found += [
        (["adaptive_slopes", "variants"], name, "no name may end in _solutions, as files do")
        for name in slopes.variants
        if name.endswith("_solutions")
    ]
    found += [
        (
            ["acceleration", "problems", name, "points"],
            problem.points.value,
            "real data have theirs",
        )
        for name, problem in siblings.acceleration.problems.items()
        if name in INCLUDED and problem.points is not None
    ]
    late = [step for step in slopes.checkpoints.value if step > slopes.steps.value]
    if late:
        at = ["adaptive_slopes", "checkpoints", "value"]
        found.append((at, late, f"there are {slopes.steps.value} steps"))
    found += _mistakes_of_alternation(siblings.alternation, race)
    return found + [(["race", *at], given, why) for at, given, why in mistakes_of_race(race)]


def _mistakes_of_alternation(alternation: Alternation, race: Race) -> list[Mistake]:
    width = alternation.width.value
    there = [name for name, problem in race.problems.items() if width in problem.widths.value]
    found = [
        (["alternation", "problems"], name, f"of width {width} the race has {', '.join(there)}")
        for name in alternation.problems
        if name not in there
    ]
    if len(alternation.against) < 2 or "anmin" not in alternation.against:
        why = "anmin must be among them, and another method"
        found.append((["alternation", "against"], alternation.against, why))
    allowed = f"allowed are {', '.join(race.methods)}"
    found += [
        (["alternation", "against"], name, allowed)
        for name in alternation.against
        if name not in race.methods
    ]
    return found
