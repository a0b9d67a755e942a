"""A sweep, many small ensembles trained in batches: configuration, spec, jobs."""

from itertools import product
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from hrta.study.config.base_spec import EXPERIMENT, Jobs, Methods
from hrta.study.config.mistakes import check_names, check_stages
from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.training import Regression, TrainingSpec
from hrta.study.config.values import (
    Count,
    Method,
    Name,
    OptimizerName,
    PositiveNumber,
    Seeds,
    Several,
    Sourced,
    Strict,
)

if TYPE_CHECKING:
    from hrta.study.config.replication import Replication


# The number of ensembles that fit into the command line of a job, at most 128 KiB.
LARGEST_BATCH = 1000


class SweptEnsemble(Strict):
    """One ensemble of a sweep: one method with one learning rate."""

    experiment: str
    width: Count
    learning_rate: PositiveNumber
    method: str


class Sweep(Strict):
    """All combinations of experiment, width, learning rate and method, under each optimizer.

    Each combination is an ensemble of one network for each seed. The other parameters (points,
    decay, momentum) are those of the replication.

    Attributes:
        learning_rates: of each optimizer.
        batch: the greatest number of ensembles of one job.
    """

    experiments: Several[str]
    widths: Sourced[Several[Count]]
    methods: Annotated[dict[Name, Method], Field(min_length=1)]
    learning_rates: Annotated[
        dict[OptimizerName, Sourced[Several[PositiveNumber]]], Field(min_length=1)
    ]
    seeds: Sourced[Seeds]
    stage_steps: Sourced[Count]
    log_every: Sourced[Count]
    batch: Annotated[Count, Field(le=LARGEST_BATCH)]

    @model_validator(mode="after")
    def _stages_fit(self) -> "Sweep":
        check_stages(["methods"], {name: method.s for name, method in self.methods.items()})
        return self

    @property
    def batches(self) -> dict[OptimizerName, list[list[SweptEnsemble]]]:
        """The batches of ensembles of each optimizer.

        The last axis varies fastest, so that an added experiment leaves all full batches unchanged.
        """
        cut = {}
        for optimizer, rates in self.learning_rates.items():
            every = [
                SweptEnsemble(experiment=name, width=width, learning_rate=rate, method=method)
                for name, width, rate, method in product(
                    self.experiments, self.widths.value, rates.value, self.methods
                )
            ]
            firsts = range(0, len(every), self.batch)
            cut[optimizer] = [every[first : first + self.batch] for first in firsts]
        return cut


class SweepSpec(Regression):
    """Many ensembles, each of one method with one learning rate, trained one after another.

    Attributes:
        problems: of each experiment.
        methods: s of each stage, for each method.
    """

    module = "sweep"
    sections = ("sweep", "sweep.learning_rates", "training", "optimizers.{optimizer}", EXPERIMENT)
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


def sweep_jobs(settings: "Replication") -> Jobs:
    """A job for each batch of ensembles."""
    sweep = settings.sweep
    for optimizer, batches in (sweep.batches if sweep else {}).items():
        for number, batch in enumerate(batches):
            spec = SweepSpec.of(
                settings,
                settings.training,
                settings.optimizers[optimizer],
                sweep,
                ensembles=batch,
                problems={each.experiment: settings.stored(each.experiment) for each in batch},
                methods={each.method: sweep.methods[each.method].s for each in batch},
                optimizer=optimizer,
            )
            yield f"sweep/{optimizer}/batch{number:03}", spec
