"""What the specs of all jobs have in common.

A spec is made once, from the configuration or from a command line; it travels as JSON, is checked
when it is read, and is written beside the result.
"""

import hashlib
from typing import Annotated, ClassVar

from pydantic import Field

from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.values import HomotopyParameter, Strict

Stages = Annotated[list[HomotopyParameter], Field(min_length=1)]
Methods = Annotated[dict[str, Stages], Field(min_length=1)]


class Spec(Strict):
    """All that the result of a job depends on.

    `seeds` is always their number, and the seeds are 0, 1, ...

    Attributes:
        second_table: name of the other table that the job writes; empty if there is none.
        resumable: whether the job can keep its state in a checkpoint.
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
        """SHA-256 of the spec."""
        return hashlib.sha256(self.json_text.encode()).hexdigest()

    @property
    def sources(self) -> list[ProblemSource]:
        """Where its points come from."""
        return [self.problem]

    @property
    def label(self) -> str:
        """What the job is called where its progress is shown."""
        experiment = getattr(self, "experiment", None)
        return f"{experiment}, {self.job}" if experiment else self.job
