"""The specs of the jobs: each says all that a result depends on.

A spec is made once, from the configuration or from a command line; it travels as JSON, is checked
when it is read, and is written beside the result.
"""

import hashlib
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from hrta.study.config.contestants import Entry
from hrta.study.config.problem_sources import ProblemSource, SampledProblem
from hrta.study.config.values import (
    Activation,
    Adaptive,
    BelowOne,
    Count,
    Device,
    Dtype,
    EngineName,
    Fraction,
    HomotopyParameter,
    Name,
    NonNegative,
    Number,
    OptimizerName,
    PositiveNumber,
    QuadratureName,
    Several,
    Strict,
)

Stages = Annotated[list[HomotopyParameter], Field(min_length=1)]
Methods = Annotated[dict[str, Stages], Field(min_length=1)]


class Spec(Strict):
    """What all specs have; `seeds` is always their number, and the seeds are 0, 1, ..."""

    job: str

    @property
    def json_text(self) -> str:
        """The spec as one line of JSON."""
        return self.model_dump_json(exclude_none=True)

    @property
    def digest(self) -> str:
        """SHA-256 of the spec."""
        return hashlib.sha256(self.json_text.encode()).hexdigest()


class DataSpec(Spec):
    """The points of a problem."""

    job: Literal["data"] = "data"
    problem: ProblemSource


class TrainingSpec(Spec):
    """An ensemble: every method with every learning rate from the same weights of each seed.

    Attributes:
        experiment: name in the results.
        methods: s of each stage.
        stage_steps: steps of each stage.
        learning_rates: at the first step.
        decay: final over initial learning rate.
        batch_size: points that an update uses; all of them if not given.
        fixed_outer: train the inner weights alone, with outer weights of 1 or -1.
    """

    job: Literal["train"] = "train"
    experiment: str
    problem: ProblemSource
    width: Count
    methods: Methods
    stage_steps: Count
    optimizer: OptimizerName
    learning_rates: Several[PositiveNumber]
    momentum: BelowOne = 0.9
    decay: Fraction = 1.0
    batch_size: Count | None = None
    fixed_outer: bool = False
    seeds: Count
    log_every: Count
    dtype: Dtype
    device: Device
    engine: EngineName


class SweptEnsemble(Strict):
    """One ensemble of a sweep: one method with one learning rate."""

    experiment: str
    width: Count
    learning_rate: PositiveNumber
    method: str


class SweepSpec(Spec):
    """Many small ensembles, trained one after another in one process."""

    job: Literal["sweep"] = "sweep"
    ensembles: Annotated[list[SweptEnsemble], Field(min_length=1)]
    problems: dict[str, ProblemSource]
    methods: Methods
    stage_steps: Count
    optimizer: OptimizerName
    momentum: BelowOne = 0.9
    decay: Fraction = 1.0
    seeds: Count
    log_every: Count
    dtype: Dtype
    device: Device
    engine: EngineName


class SpectraSpec(Spec):
    """Eigenvalues of Gram matrices at infinite width and, at initialisation, at finite widths."""

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
    """The loss that the linearised network expects just after each switch of s."""

    job: Literal["theory jumps"] = "theory jumps"
    experiment: str
    problem: ProblemSource
    methods: Methods


class RatesSpec(Spec):
    """Gradient descent in float64, at a constant rate, against bound and linearised network."""

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


class AlternationSpec(Spec):
    """Exact alternating minimisation, round by round."""

    job: Literal["anmin"] = "anmin"
    problem: ProblemSource
    width: Count
    rounds: Annotated[int, Field(ge=0)]
    ridge: PositiveNumber
    leak: BelowOne
    seeds: Count


class LbfgsSpec(Spec):
    """L-BFGS with a strong-Wolfe line search."""

    job: Literal["lbfgs"] = "lbfgs"
    problem: ProblemSource
    width: Count
    evaluations: Count
    learning_rate: PositiveNumber
    history_size: Count
    s: HomotopyParameter
    seeds: Count
    dtype: Dtype


class AdaptiveSpec(Spec):
    """Deep networks with locally adaptive activations."""

    job: Literal["laaf"] = "laaf"
    problem: ProblemSource
    hidden: Annotated[list[Count], Field(min_length=1)]
    activation: Activation
    adaptive: Adaptive
    scale: Annotated[Number, Field(ge=1)]
    recovery: NonNegative
    steps: Count
    learning_rate: PositiveNumber
    decay: Fraction
    seeds: Count
    log_every: Count


class SlopeVariant(Strict):
    """What has a trainable slope, and the weight of slope recovery."""

    adaptive: Adaptive
    recovery: NonNegative


class SlopesSpec(Spec):
    """Deep networks with adaptive slopes against fixed ones, from the same weights.

    Attributes:
        solution_steps: steps after which the functions found are kept.
    """

    job: Literal["slopes"] = "slopes"
    experiment: str
    problem: ProblemSource
    variants: Annotated[dict[str, SlopeVariant], Field(min_length=1)]
    hidden: Annotated[list[Count], Field(min_length=1)]
    activation: Activation
    scale: Annotated[Number, Field(ge=1)]
    steps: Count
    solution_steps: Several[Count]
    learning_rate: PositiveNumber
    seeds: Count
    log_every: Count


class PoissonSpec(Spec):
    """The Deep Ritz method on a Poisson problem; `solution` names the exact solution."""

    job: Literal["poisson"] = "poisson"
    experiment: str
    solution: str
    methods: Methods
    points: Count
    quadrature: QuadratureName
    width: Count
    stage_steps: Count
    learning_rates: Several[PositiveNumber]
    decay: Fraction
    seeds: Count
    log_every: Count


class RacedProblem(Strict):
    """A problem of a race, the widths, and the gradient evaluations of each run."""

    problem: ProblemSource
    widths: Several[Count]
    evaluations: Count


class RaceSpec(Spec):
    """Methods of any kind, each tuned on its grid and then run from fresh seeds."""

    job: Literal["race"] = "race"
    entries: Annotated[dict[Name, Entry], Field(min_length=1)]
    problems: Annotated[list[RacedProblem], Field(min_length=1)]
    tuning_seeds: Count
    seeds: Count
    decay: Fraction
    final_fraction: Fraction


AnySpec = Annotated[
    DataSpec
    | TrainingSpec
    | SweepSpec
    | SpectraSpec
    | WidthLimitSpec
    | SampleNumberSpec
    | MotionSpec
    | JumpsSpec
    | RatesSpec
    | AccelerationSpec
    | AlternationSpec
    | LbfgsSpec
    | AdaptiveSpec
    | SlopesSpec
    | PoissonSpec
    | RaceSpec,
    Field(discriminator="job"),
]
SPEC = TypeAdapter(AnySpec)
