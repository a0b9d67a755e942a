"""Two-layer networks trained on the experiments' problems: configuration, specs, jobs."""

from itertools import product
from typing import TYPE_CHECKING, Literal

from hrta.study.config.base_spec import EXPERIMENT, DeviceSpec, Jobs, Methods, Spec
from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.values import (
    BelowOne,
    Count,
    Dtype,
    EngineName,
    Fraction,
    HomotopyParameter,
    Label,
    OptimizerName,
    PositiveNumber,
    Seeds,
    Several,
    Sourced,
    Strict,
)

if TYPE_CHECKING:
    from hrta.study.config.replication import Replication


class Optimizer(Strict):
    """The parameters of an optimizer; momentum only for heavy_ball and nesterov.

    Every method is trained with each of the learning rates; figures of one learning rate show the
    first.
    """

    label: Label
    learning_rates: Sourced[Several[PositiveNumber]]
    momentum: Sourced[BelowOne] | None = None


class Training(Strict):
    """The parameters that all ensembles have in common."""

    stage_steps: Sourced[Count]
    decay: Sourced[Fraction]
    log_every: Sourced[Count]
    final_fraction: Sourced[Fraction]


class DataSpec(Spec):
    """The points of a problem, with their SHA-256 beside them."""

    module = "data"
    job: Literal["data"] = "data"
    problem: ProblemSource


class Regression(DeviceSpec):
    """The parameters of the training of two-layer networks.

    Attributes:
        stage_steps: steps of each stage.
        optimizer, momentum, dtype, engine: as in `hrta.train`.
        decay: final over initial learning rate.
        log_every: steps between logged losses.
    """

    stage_steps: Count
    optimizer: OptimizerName
    momentum: BelowOne = 0.9
    decay: Fraction = 1.0
    seeds: Seeds
    log_every: Count
    dtype: Dtype
    engine: EngineName


class TrainingSpec(Regression):
    """An ensemble: every method with every learning rate from the same weights of each seed.

    Attributes:
        experiment: name in the results.
        methods: s of each stage, for each method.
        learning_rates: at the first step.
        batch_size: points of an update; all if not given. The batches of a run are drawn with its
            seed.
        fixed_outer: whether only the inner weights are trained; outer weights are 1 or -1.
    """

    module = "ensembles"
    sections = ("training", "optimizers.{optimizer}", EXPERIMENT, "")
    resumable = True
    job: Literal["train"] = "train"
    experiment: str
    problem: ProblemSource
    width: Count
    methods: Methods
    learning_rates: Several[PositiveNumber]
    batch_size: Count | None = None
    fixed_outer: bool = False

    @property
    def label(self) -> str:
        """Experiment, optimizer and width."""
        return f"{self.experiment}, {self.optimizer}, width {self.width}"


class LbfgsSpec(Spec):
    """Two-layer networks trained by L-BFGS with a strong-Wolfe line search."""

    module = "lbfgs"
    job: Literal["lbfgs"] = "lbfgs"
    problem: ProblemSource
    width: Count
    evaluations: Count
    learning_rate: PositiveNumber
    history_size: Count
    s: HomotopyParameter
    seeds: Seeds
    dtype: Dtype


def training_jobs(settings: "Replication") -> Jobs:
    """The ensembles: a job for each experiment, optimizer and width, or for each learning rate."""
    for name, experiment in settings.experiments.items():
        for optimizer, width in product(experiment.optimizers, experiment.widths.value):
            every = settings.optimizers[optimizer].learning_rates.value
            parts = {"": every}
            if experiment.by_rate_from is not None and width >= experiment.by_rate_from:
                parts = {f"_rate{number}": [rate] for number, rate in enumerate(every, start=1)}
            for suffix, rates in parts.items():
                spec = TrainingSpec.of(
                    settings,
                    settings.training,
                    settings.optimizers[optimizer],
                    experiment=name,
                    problem=settings.stored(name),
                    width=width,
                    methods=settings.stages(experiment.methods),
                    optimizer=optimizer,
                    learning_rates=rates,
                )
                yield f"runs/{name}/{optimizer}/width{width}{suffix}", spec
