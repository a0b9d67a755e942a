"""The specs of the jobs that make points and train two-layer networks on them."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hrta.study.config.base_spec import Methods, Spec
from hrta.study.config.mistakes import check_names
from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.values import (
    BelowOne,
    Count,
    Device,
    Dtype,
    EngineName,
    Fraction,
    HomotopyParameter,
    OptimizerName,
    PositiveNumber,
    Several,
    Strict,
)


class DataSpec(Spec):
    """The points of a problem, with their SHA-256 beside them."""

    job: Literal["data"] = "data"
    problem: ProblemSource


class Regression(Spec):
    """The parameters of the training of two-layer networks.

    Attributes:
        stage_steps: steps of each stage.
        optimizer, momentum, dtype, engine: as in `hrta.train`.
        decay: final over initial learning rate.
        log_every: steps between logged losses.
        device: auto selects a GPU if one is available.
    """

    stage_steps: Count
    optimizer: OptimizerName
    momentum: BelowOne = 0.9
    decay: Fraction = 1.0
    seeds: Count
    log_every: Count
    dtype: Dtype
    device: Device
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


class SweptEnsemble(Strict):
    """One ensemble of a sweep: one method with one learning rate."""

    experiment: str
    width: Count
    learning_rate: PositiveNumber
    method: str


class SweepSpec(Regression):
    """Many ensembles, each of one method with one learning rate, trained one after another.

    Attributes:
        problems: of each experiment.
        methods: s of each stage, for each method.
    """

    job: Literal["sweep"] = "sweep"
    ensembles: Annotated[list[SweptEnsemble], Field(min_length=1)]
    problems: dict[str, ProblemSource]
    methods: Methods

    @model_validator(mode="after")
    def _names_exist(self) -> "SweepSpec":
        for number, each in enumerate(self.ensembles):
            at = ["ensembles", str(number)]
            check_names([*at, "experiment"], [each.experiment], self.problems)
            check_names([*at, "method"], [each.method], self.methods)
        return self

    @property
    def sources(self) -> list[ProblemSource]:
        """The sources of all experiments."""
        return list(self.problems.values())

    def alone(self, ensemble: SweptEnsemble) -> TrainingSpec:
        """One ensemble of the sweep as a separate job."""
        shared = {name: getattr(self, name) for name in Regression.model_fields if name != "job"}
        return TrainingSpec(
            **shared,
            experiment=ensemble.experiment,
            problem=self.problems[ensemble.experiment],
            width=ensemble.width,
            methods={ensemble.method: self.methods[ensemble.method]},
            learning_rates=[ensemble.learning_rate],
        )


class AlternationSpec(Spec):
    """Exact alternating minimisation, round by round; losses are mean squares."""

    job: Literal["anmin"] = "anmin"
    problem: ProblemSource
    width: Count
    rounds: Annotated[int, Field(ge=0)]
    ridge: PositiveNumber
    leak: BelowOne
    seeds: Count


class LbfgsSpec(Spec):
    """Two-layer networks trained by L-BFGS with a strong-Wolfe line search."""

    job: Literal["lbfgs"] = "lbfgs"
    problem: ProblemSource
    width: Count
    evaluations: Count
    learning_rate: PositiveNumber
    history_size: Count
    s: HomotopyParameter
    seeds: Count
    dtype: Dtype
