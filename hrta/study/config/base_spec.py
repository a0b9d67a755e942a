"""The base class of all specs.

A spec is made once, from the configuration or from a command line. It is passed as JSON, validated
when it is read, and written beside the result.
"""

import hashlib
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.values import Device, HomotopyParameter, Strict

Stages = Annotated[list[HomotopyParameter], Field(min_length=1)]
Methods = Annotated[dict[str, Stages], Field(min_length=1)]


# The section of the problem's experiment.
EXPERIMENT = "experiments.{problem}"


class Spec(Strict):
    """Everything that the result of a job depends on.

    The field `seeds` is the number of seeds, which are 0, 1, ...

    Attributes:
        module: the module of hrta.study.experiments that runs the job.
        sections: sections of the configuration that have the fields' values; the first one that
            has a field counts. {problem} is the name of the experiment or the data set, {optimizer}
            a field of the spec, {race} the section of the race.
        second_table: name of the second table that the job writes; empty if it writes one table.
        resumable: whether the job can write checkpoints.
        can_use_gpu: whether any part of the job can run on a GPU.
        job: kind of the job.
    """

    module: ClassVar[str]
    sections: ClassVar[tuple[str, ...]] = ()
    second_table: ClassVar[str] = ""
    resumable: ClassVar[bool] = False
    can_use_gpu: ClassVar[bool] = False
    job: str

    @property
    def json_text(self) -> str:
        """The spec as one line of JSON."""
        return self.model_dump_json(exclude_none=True)

    @property
    def digest(self) -> str:
        """SHA-256 of the spec's JSON."""
        return hashlib.sha256(self.json_text.encode()).hexdigest()

    @property
    def sources(self) -> list[ProblemSource]:
        """The sources of the job's points."""
        return [self.problem]

    @property
    def label(self) -> str:
        """The name of the job in progress and messages."""
        experiment = getattr(self, "experiment", None)
        return f"{experiment}, {self.job}" if experiment else self.job


class DeviceSpec(Spec):
    """A spec of a job that can use a GPU.

    Attributes:
        device: auto selects a GPU if one is available.
    """

    can_use_gpu = True

    device: Device = "auto"


# Specs by the names of their results.
Jobs = Iterator[tuple[str, Spec]]


def spec_types(base: type[Spec] = Spec) -> dict[str, type[Spec]]:
    """All types of specs that have been imported, by kind of job."""
    found = {}
    for each in base.__subclasses__():
        if "job" in each.__annotations__:
            found[each.model_fields["job"].default] = each
        found |= spec_types(each)
    return found
