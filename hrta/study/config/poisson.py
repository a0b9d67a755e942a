"""The configuration of the Poisson problem."""

from typing import Annotated

from pydantic import Field, model_validator

from hrta.problems.poisson import grid, make_problem
from hrta.study.config.mistakes import check_stages, refuse
from hrta.study.config.values import (
    Count,
    Label,
    Method,
    Name,
    PositiveNumber,
    QuadratureName,
    Several,
    Sourced,
    Strict,
)


class RitzProblem(Strict):
    """A problem by its exact solution.

    Attributes:
        paper: whether it is a problem of the paper.
        solution: name of the exact solution.
        points: number of points of the quadrature.
    """

    label: Label
    paper: bool
    solution: str
    points: Sourced[Count]
    seeds: Sourced[Count]

    @model_validator(mode="after")
    def _exists(self) -> "RitzProblem":
        try:
            dimension = make_problem(self.solution).dimension
        except ValueError as error:
            refuse(["solution"], self.solution, str(error))
        try:
            grid(self.points.value, dimension)
        except ValueError as error:
            refuse(["points", "value"], self.points.value, str(error))
        return self


class Quadrature(Strict):
    """A quadrature rule with its label in figures."""

    label: Label


class Poisson(Strict):
    """The Deep Ritz method: every problem with every quadrature; the first method is the baseline.

    Attributes:
        log_every: steps between logged losses.
    """

    problems: Annotated[dict[Name, RitzProblem], Field(min_length=1)]
    quadratures: Annotated[dict[QuadratureName, Quadrature], Field(min_length=1)]
    methods: Annotated[dict[Name, Method], Field(min_length=2)]
    width: Sourced[Count]
    learning_rates: Sourced[Several[PositiveNumber]]
    stage_steps: Sourced[Count]
    log_every: Sourced[Count]

    @model_validator(mode="after")
    def _stages_fit(self) -> "Poisson":
        check_stages(["methods"], {name: method.s for name, method in self.methods.items()})
        return self
