"""Exact alternating minimisation (ANMIN): configuration, spec, jobs."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from hrta.study.config.base_spec import EXPERIMENT, Jobs, Spec
from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.values import (
    BelowOne,
    Count,
    PositiveNumber,
    Seeds,
    Several,
    Sourced,
    Strict,
)

if TYPE_CHECKING:
    from hrta.study.config.replication import Replication


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
    seeds: Sourced[Seeds]
    against: Several[str]


class AlternationSpec(Spec):
    """Exact alternating minimisation, round by round; losses are mean squares."""

    module = "alternation"
    sections = ("competitors.alternation", EXPERIMENT)
    job: Literal["anmin"] = "anmin"
    problem: ProblemSource
    width: Count
    rounds: Annotated[int, Field(ge=0)]
    ridge: PositiveNumber
    leak: BelowOne
    seeds: Seeds


def alternation_jobs(settings: "Replication") -> Jobs:
    """A job for each problem."""
    alternation = settings.competitors.alternation
    for name in alternation.problems:
        yield f"anmin/{name}", AlternationSpec.of(alternation, problem=settings.stored(name))
