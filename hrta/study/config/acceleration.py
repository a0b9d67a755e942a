"""Heavy ball and Nesterov on the inner weights: configuration, spec, jobs."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from hrta.study.config.base_spec import EXPERIMENT, DeviceSpec, Jobs
from hrta.study.config.problem_sources import DataSet, ProblemSource
from hrta.study.config.values import (
    Count,
    Fraction,
    Label,
    Name,
    Points,
    Seeds,
    Several,
    Sourced,
    Strict,
)

if TYPE_CHECKING:
    from hrta.study.config.replication import Replication


class AcceleratedProblem(Strict):
    """An experiment, possibly with another number of points, or a set of real data."""

    label: Label
    points: Sourced[Points] | None = None


class Acceleration(Strict):
    """The experiment in which heavy ball and Nesterov train the inner weights alone."""

    problems: Annotated[dict[Name, AcceleratedProblem], Field(min_length=1)]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Seeds]
    steps: Sourced[Count]
    step_fraction: Sourced[Fraction]
    log_every: Sourced[Count]


class AccelerationSpec(DeviceSpec):
    """Heavy ball and Nesterov on the inner weights; step_fraction is in units of 1 / lambda_max."""

    module = "acceleration"
    sections = (
        "competitors.acceleration.problems.{problem}",
        "competitors.acceleration",
        EXPERIMENT,
    )
    job: Literal["acceleration"] = "acceleration"
    experiment: str
    problem: ProblemSource
    widths: Several[Count]
    seeds: Seeds
    steps: Count
    step_fraction: Fraction
    log_every: Count


def acceleration_jobs(settings: "Replication") -> Jobs:
    """A job for each problem."""
    acceleration = settings.competitors.acceleration
    for name, own in acceleration.problems.items():
        problem = DataSet(name=name)
        if name in settings.experiments:
            points = own.points and own.points.value
            problem = settings.sampled(name, points, test_points=200)
        spec = AccelerationSpec.of(
            acceleration, device=settings.device, experiment=name, problem=problem
        )
        yield f"acceleration/{name}", spec
