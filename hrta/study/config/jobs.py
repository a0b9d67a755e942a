"""The jobs of the replication, and their specs as one type."""

from typing import Annotated, Union

from pydantic import ConfigDict, Field, TypeAdapter

from hrta.problems.datasets import INCLUDED
from hrta.study.config import (
    acceleration,
    adaptive_slopes,
    alternation,
    poisson,
    races,
    sweep,
    theory,
    training,
)
from hrta.study.config.base_spec import Jobs, Spec, spec_types
from hrta.study.config.replication import Replication

# What makes the jobs of each part of the configuration.
PARTS = (
    training.training_jobs,
    theory.spectra_jobs,
    theory.theory_jobs,
    adaptive_slopes.slopes_jobs,
    acceleration.acceleration_jobs,
    alternation.alternation_jobs,
    races.race_jobs,
    poisson.poisson_jobs,
    sweep.sweep_jobs,
)
# The types of specs, by kind of job.
SPEC_TYPES = spec_types()
# Validates a spec of any type.
SPEC = TypeAdapter(
    Annotated[Union[*SPEC_TYPES.values()], Field(discriminator="job")],
    config=ConfigDict(defer_build=True),
)


def data_jobs(settings: Replication) -> Jobs:
    """The points of every experiment and of every set of real data."""
    for name in [*settings.experiments, *INCLUDED]:
        computed = settings.stored(name).model_copy(update={"file": None})
        yield f"data/{name}", training.DataSpec(problem=computed)


def make_jobs(settings: Replication) -> dict[str, Spec]:
    """The specs of all jobs, by the names of their results, such as runs/sine1d/adam/width50.

    Results named data/... are points of problems; the others are tidy tables.
    """
    return {name: spec for part in (data_jobs, *PARTS) for name, spec in part(settings)}
