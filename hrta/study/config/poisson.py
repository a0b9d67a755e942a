"""The Poisson problem by the Deep Ritz method: configuration, spec, jobs."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from hrta.problems.poisson import grid, make_problem
from hrta.study.config.base_spec import DeviceSpec, Jobs, Methods
from hrta.study.config.mistakes import check_stages, refuse
from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.values import (
    Count,
    Fraction,
    Label,
    Method,
    Name,
    Points,
    PositiveNumber,
    QuadratureName,
    Seeds,
    Several,
    Sourced,
    Strict,
)

if TYPE_CHECKING:
    from hrta.study.config.replication import Replication


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
    points: Sourced[Points]
    seeds: Sourced[Seeds]

    @model_validator(mode="after")
    def _exists(self) -> "RitzProblem":
        try:
            dimension = make_problem(self.solution).dimension
        except ValueError as error:
            refuse(["solution"], self.solution, str(error))
        try:
            grid(self.points.value, dimension)
        except (ValueError, MemoryError) as error:
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


class PoissonSpec(DeviceSpec):
    """Two-layer ReLU^2 networks that minimise the energy of a Poisson problem: Deep Ritz.

    Attributes:
        solution: name of the exact solution.
        points: number of points of the quadrature.
    """

    module = "poisson"
    sections = ("poisson.problems.{problem}", "poisson", "training")
    second_table = "solutions"
    resumable = True
    job: Literal["poisson"] = "poisson"
    experiment: str
    solution: str
    methods: Methods
    points: Points
    quadrature: QuadratureName
    width: Count
    stage_steps: Count
    learning_rates: Several[PositiveNumber]
    decay: Fraction
    seeds: Seeds
    log_every: Count

    @property
    def sources(self) -> list[ProblemSource]:
        """Empty: the quadrature makes the points."""
        return []


def poisson_jobs(settings: "Replication") -> Jobs:
    """A job for each problem and quadrature rule."""
    poisson = settings.poisson
    methods = {name: method.s for name, method in poisson.methods.items()}
    for name, problem in poisson.problems.items():
        for quadrature in poisson.quadratures:
            spec = PoissonSpec.of(
                settings.training,
                poisson,
                problem,
                device=settings.device,
                experiment=f"{name}_{quadrature}",
                methods=methods,
                quadrature=quadrature,
            )
            yield f"poisson/{name}_{quadrature}", spec
