"""The spec of a race."""

from typing import Annotated, Literal

from pydantic import Field

from hrta.study.config.base_spec import EXPERIMENT, DeviceSpec
from hrta.study.config.problem_sources import ProblemSource
from hrta.study.config.race_methods import ON_CPU, Entry
from hrta.study.config.values import Count, Fraction, Name, Seeds, Several, Strict


class RacedProblem(Strict):
    """A problem of a race with its widths, and the gradient evaluations of each run."""

    problem: ProblemSource
    widths: Several[Count]
    evaluations: Count


class RaceSpec(DeviceSpec):
    """Methods of any kind, each tuned on its grid and then trained from other seeds."""

    module = "race"
    sections = ("{race}", "training", EXPERIMENT)
    second_table = "tuning"
    resumable = True
    job: Literal["race"] = "race"
    entries: Annotated[dict[Name, Entry], Field(min_length=1)]
    problems: Annotated[list[RacedProblem], Field(min_length=1)]
    tuning_seeds: Seeds
    seeds: Seeds
    decay: Fraction
    final_fraction: Fraction

    @property
    def sources(self) -> list[ProblemSource]:
        """The sources of the problems, in order."""
        return [each.problem for each in self.problems]

    @property
    def can_use_gpu(self) -> bool:
        """Whether any of the trainers can."""
        return not self.trainers <= ON_CPU.keys()

    @property
    def trainers(self) -> set[str]:
        """The names of the trainers of all methods."""
        return {entry.method.trainer for entry in self.entries.values()}
