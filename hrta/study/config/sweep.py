"""The configuration of a sweep: many small ensembles over a grid, trained in batches."""

from itertools import product
from typing import Annotated

from pydantic import Field, model_validator

from hrta.study.config.mistakes import check_stages
from hrta.study.config.training_specs import SweptEnsemble
from hrta.study.config.values import (
    Count,
    Method,
    Name,
    OptimizerName,
    PositiveNumber,
    Several,
    Sourced,
    Strict,
)

# The number of ensembles that fit into the command line of a job, at most 128 KiB.
LARGEST_BATCH = 1000


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
    seeds: Sourced[Count]
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
