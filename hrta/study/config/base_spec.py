"""The base class of all specs.

A spec is made once, from the configuration or from a command line. It is passed as JSON, validated
when it is read, and written beside the result.
"""

import hashlib
from typing import Annotated, ClassVar

from pydantic import Field

from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.values import HomotopyParameter, Strict

Stages = Annotated[list[HomotopyParameter], Field(min_length=1)]
Methods = Annotated[dict[str, Stages], Field(min_length=1)]


class Spec(Strict):
    """Everything that the result of a job depends on.

    The field `seeds` is the number of seeds, which are 0, 1, ...

    Attributes:
        second_table: name of the second table that the job writes; empty if it writes one table.
        resumable: whether the job can write checkpoints.
        job: kind of the job.
    """

    second_table: ClassVar[str] = ""
    resumable: ClassVar[bool] = False
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
