"""The tangent kernel and the linearised network: configuration, specs, jobs."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from hrta.study.config.base_spec import EXPERIMENT, DeviceSpec, Jobs, Methods, Spec
from hrta.study.config.mistakes import check_names
from hrta.study.config.problem_sources import ProblemSource, SampledProblem
from hrta.study.config.values import (
    Count,
    HomotopyParameter,
    OptimizerName,
    Points,
    PositiveNumber,
    Seeds,
    Several,
    Sourced,
    Strict,
)

if TYPE_CHECKING:
    from hrta.study.config.replication import Replication


class Spectra(Strict):
    """The homotopy parameters and the seeds of the spectra of tangent kernels."""

    s: Sourced[Several[HomotopyParameter]]
    seeds: Sourced[Seeds]


class SpectraSpec(Spec):
    """Eigenvalues of the tangent Gram matrix at infinite width and of initialised networks."""

    module = "spectra"
    sections = ("spectra", EXPERIMENT)
    job: Literal["spectra"] = "spectra"
    experiment: str
    problem: ProblemSource
    s: Several[HomotopyParameter]
    widths: list[Count]
    seeds: Seeds


class WidthLimit(Strict):
    """The comparison of the kernels of finite networks with infinite width."""

    experiments: Several[str]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Seeds]


class WidthLimitSpec(DeviceSpec):
    """Gram matrices of networks at initialisation against those of infinite width."""

    module = "width_limit"
    sections = ("theory.width_limit", "theory", EXPERIMENT)
    job: Literal["theory width"] = "theory width"
    experiment: str
    problem: ProblemSource
    s: Several[HomotopyParameter]
    widths: Several[Count]
    seeds: Seeds


class ManyPoints(Strict):
    """Several numbers of points of one experiment."""

    points: Sourced[Several[Points]]


class SampleNumber(Strict):
    """The eigenvalues as functions of the number of points."""

    experiments: Annotated[dict[str, ManyPoints], Field(min_length=1)]


class SampleNumberSpec(DeviceSpec):
    """Extremal eigenvalues at infinite width for several numbers of points."""

    module = "sample_number"
    sections = ("theory.sample_number.experiments.{problem}", "theory")
    job: Literal["theory samples"] = "theory samples"
    experiment: str
    problems: Annotated[list[SampledProblem], Field(min_length=1)]
    s: Several[HomotopyParameter]

    @property
    def sources(self) -> list[ProblemSource]:
        """The sources of the problem, one for each number of points."""
        return list(self.problems)


class Motion(Strict):
    """The motion of kernel and weights during training."""

    experiment: str
    methods: Several[str]
    optimizers: Several[str]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Seeds]
    stage_steps: Sourced[Count]


class MotionSpec(DeviceSpec):
    """How far the tangent kernel and the weights move; the learning rate is constant."""

    module = "kernel_motion"
    sections = ("theory.motion", "optimizers.{optimizer}", EXPERIMENT, "")
    job: Literal["theory motion"] = "theory motion"
    experiment: str
    problem: ProblemSource
    methods: Methods
    widths: Several[Count]
    seeds: Seeds
    stage_steps: Count
    optimizer: OptimizerName
    learning_rate: PositiveNumber


class FewPoints(Strict):
    """Another number of points for one experiment."""

    points: Sourced[Points]


class Rates(Strict):
    """The comparison of the loss with the bound and the linearised prediction."""

    experiments: Annotated[dict[str, FewPoints], Field(min_length=1)]
    methods: Several[str]
    widths: Sourced[Several[Count]]
    seeds: Sourced[Seeds]
    stage_steps: Sourced[Count]
    learning_rate: Sourced[PositiveNumber]
    log_every: Sourced[Count]


class RatesSpec(DeviceSpec):
    """Gradient descent in float64 at a constant rate, with the bound and the linearised network."""

    module = "rates"
    sections = ("theory.rates.experiments.{problem}", "theory.rates", EXPERIMENT, "")
    job: Literal["theory rates"] = "theory rates"
    experiment: str
    problem: ProblemSource
    methods: Methods
    widths: Several[Count]
    seeds: Seeds
    stage_steps: Count
    learning_rate: PositiveNumber
    log_every: Count


class JumpsSpec(Spec):
    """The expected loss just after each switch of s, at infinite width."""

    module = "jumps"
    sections = (EXPERIMENT, "")
    job: Literal["theory jumps"] = "theory jumps"
    experiment: str
    problem: ProblemSource
    methods: Methods


class Theory(Strict):
    """The measurements of the tangent-kernel theory."""

    s: Sourced[Several[HomotopyParameter]]
    width_limit: WidthLimit
    sample_number: SampleNumber
    motion: Motion
    rates: Rates


def check_theory(settings: "Replication") -> None:
    """Refuse, from a validator, names and numbers of points that the experiments do not allow."""
    theory = settings.theory
    for at, names in (
        ("width_limit.experiments", theory.width_limit.experiments),
        ("sample_number.experiments", theory.sample_number.experiments),
        ("motion.experiment", [theory.motion.experiment]),
        ("rates.experiments", theory.rates.experiments),
    ):
        check_names(["theory", at], names, settings.experiments)
    check_names(["theory.motion.optimizers"], theory.motion.optimizers, settings.optimizers)
    settings.check_methods(["theory.motion.methods"], theory.motion.methods)
    settings.check_methods(["theory.rates.methods"], theory.rates.methods)
    for name, many in theory.sample_number.experiments.items():
        for n in many.points.value:
            settings.check_points(["theory", "sample_number", "experiments"], name, n)
    for name, few in theory.rates.experiments.items():
        settings.check_points(["theory", "rates", "experiments"], name, few.points.value)


def spectra_jobs(settings: "Replication") -> Jobs:
    """The spectra of every experiment."""
    for name, experiment in settings.experiments.items():
        problem = settings.stored(name)
        spec = SpectraSpec.of(experiment, settings.spectra, experiment=name, problem=problem)
        yield f"spectra/{name}", spec


def theory_jobs(settings: "Replication") -> Jobs:
    """All measurements of the tangent-kernel theory."""
    theory, limit, motion = settings.theory, settings.theory.width_limit, settings.theory.motion
    device = settings.device
    for name in limit.experiments:
        problem = settings.sampled(name)
        spec = WidthLimitSpec.of(theory, limit, device=device, experiment=name, problem=problem)
        yield f"theory/width/{name}", spec
    for name, many in theory.sample_number.experiments.items():
        problems = [settings.sampled(name, points) for points in many.points.value]
        spec = SampleNumberSpec.of(theory, device=device, experiment=name, problems=problems)
        yield f"theory/samples/{name}", spec
    for optimizer in motion.optimizers:
        spec = MotionSpec.of(
            motion,
            device=device,
            problem=settings.sampled(motion.experiment),
            methods=settings.stages(motion.methods),
            optimizer=optimizer,
            learning_rate=settings.optimizers[optimizer].learning_rates.value[0],
        )
        yield f"theory/motion/{optimizer}", spec
    for name, few in theory.rates.experiments.items():
        for method, stages in settings.stages(theory.rates.methods).items():
            spec = RatesSpec.of(
                theory.rates,
                device=device,
                experiment=name,
                problem=settings.sampled(name, few.points.value),
                methods={method: stages},
            )
            yield f"theory/rates/{name}/{method}", spec
    for name, experiment in settings.experiments.items():
        problem, methods = settings.sampled(name), settings.stages(experiment.methods)
        yield f"theory/jumps/{name}", JumpsSpec(experiment=name, problem=problem, methods=methods)
