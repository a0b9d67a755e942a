"""The specs of the jobs on the tangent kernel and the linearised network."""

from typing import Annotated, Literal

from pydantic import Field

from hrta.study.config.base_spec import Methods, Spec
from hrta.study.config.problem_sources import ProblemSource, SampledProblem
from hrta.study.config.values import (
    Count,
    Fraction,
    HomotopyParameter,
    OptimizerName,
    PositiveNumber,
    Several,
)


class SpectraSpec(Spec):
    """Eigenvalues of the tangent Gram matrix at infinite width and of initialised networks."""

    job: Literal["spectra"] = "spectra"
    experiment: str
    problem: ProblemSource
    s: Several[HomotopyParameter]
    widths: list[Count]
    seeds: Count


class WidthLimitSpec(Spec):
    """Gram matrices of networks at initialisation against those of infinite width."""

    job: Literal["theory width"] = "theory width"
    experiment: str
    problem: ProblemSource
    s: Several[HomotopyParameter]
    widths: Several[Count]
    seeds: Count


class SampleNumberSpec(Spec):
    """Extremal eigenvalues at infinite width for several numbers of points."""

    job: Literal["theory samples"] = "theory samples"
    experiment: str
    problems: Annotated[list[SampledProblem], Field(min_length=1)]
    s: Several[HomotopyParameter]

    @property
    def sources(self) -> list[ProblemSource]:
        """The sources of the problem, one for each number of points."""
        return list(self.problems)


class MotionSpec(Spec):
    """How far the tangent kernel and the weights move; the learning rate is constant."""

    job: Literal["theory motion"] = "theory motion"
    experiment: str
    problem: ProblemSource
    methods: Methods
    widths: Several[Count]
    seeds: Count
    stage_steps: Count
    optimizer: OptimizerName
    learning_rate: PositiveNumber


class JumpsSpec(Spec):
    """The expected loss just after each switch of s, at infinite width."""

    job: Literal["theory jumps"] = "theory jumps"
    experiment: str
    problem: ProblemSource
    methods: Methods


class RatesSpec(Spec):
    """Gradient descent in float64 at a constant rate, with the bound and the linearised network."""

    job: Literal["theory rates"] = "theory rates"
    experiment: str
    problem: ProblemSource
    methods: Methods
    widths: Several[Count]
    seeds: Count
    stage_steps: Count
    learning_rate: PositiveNumber
    log_every: Count


class AccelerationSpec(Spec):
    """Heavy ball and Nesterov on the inner weights; step_fraction is in units of 1 / lambda_max."""

    job: Literal["acceleration"] = "acceleration"
    experiment: str
    problem: ProblemSource
    widths: Several[Count]
    seeds: Count
    steps: Count
    step_fraction: Fraction
    log_every: Count
