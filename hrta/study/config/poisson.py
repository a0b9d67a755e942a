"""The configuration of the Poisson problem."""

from typing import Annotated, Literal

from pydantic import Field

from hrta.problems.poisson import grid, make_problem
from hrta.study.config.races import Mistake
from hrta.study.config.values import (
    Count,
    Label,
    Method,
    Name,
    PositiveNumber,
    Several,
    Sourced,
    Strict,
)


class RitzProblem(Strict):
    """A solution to be found, and from how many points; paper: whether it is the paper's own."""

    label: Label
    paper: bool
    solution: str
    points: Sourced[Count]
    seeds: Sourced[Count]


class Quadrature(Strict):
    """How it is called in figures."""

    label: Label


class Poisson(Strict):
    """The Deep Ritz method: every problem with every quadrature; the first method is the baseline.

    Attributes:
        log_every: steps between losses.
    """

    problems: Annotated[dict[Name, RitzProblem], Field(min_length=1)]
    quadratures: Annotated[dict[Literal["grid", "monte_carlo"], Quadrature], Field(min_length=1)]
    methods: Annotated[dict[Name, Method], Field(min_length=2)]
    width: Sourced[Count]
    learning_rates: Sourced[Several[PositiveNumber]]
    stage_steps: Sourced[Count]
    log_every: Sourced[Count]


def mistakes(poisson: Poisson) -> list[Mistake]:
    """What does not fit together: the path of a key, what was given, and what is wrong with it."""
    found = []
    for name, problem in poisson.problems.items():
        at = ["problems", name]
        try:
            dimension = make_problem(problem.solution).dimension
        except ValueError as error:
            found.append(([*at, "solution"], problem.solution, str(error)))
            continue
        try:
            grid(problem.points.value, dimension)
        except ValueError as error:
            found.append(([*at, "points", "value"], problem.points.value, str(error)))
    stages = {name: len(method.s) for name, method in poisson.methods.items()}
    if len(set(stages.values())) > 1:
        found.append((["methods"], stages, "all must have the same number of stages"))
    return found
