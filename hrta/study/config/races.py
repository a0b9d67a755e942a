"""The configuration of a race: methods, the grids that they are tuned on, problems."""

from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from hrta.problems.datasets import CLASSES
from hrta.study.config.mistakes import check_names, refuse
from hrta.study.config.race_methods import CLASSIFIERS, Entry, Grid, RacedMethod
from hrta.study.config.values import (
    Count,
    Label,
    Name,
    PositiveNumber,
    Several,
    Source,
    Sourced,
    Strict,
)

# A race must have as many evaluations as the method with the most stages has stages, and these.
FEWEST_EVALUATIONS = 3


class RaceProblem(Strict):
    """An experiment or a set of real data, and how long each run may take."""

    label: Label
    widths: Sourced[Several[Count]]
    evaluations: Sourced[Count]


class RaceMethod(Strict):
    """A method, the grid it is tuned on, and the method that its gain is measured against.

    Methods of one job are run one after another; without one each has its own.
    """

    label: Label
    source: Source
    method: RacedMethod
    grid: Name
    baseline: Name | None = None
    job: Name | None = None


class Race(Strict):
    """A race of methods on problems; together: all methods as one job, for small races."""

    problems: Annotated[dict[Name, RaceProblem], Field(min_length=1)]
    grids: Annotated[dict[Name, Sourced[Grid]], Field(min_length=1)]
    methods: Annotated[dict[Name, RaceMethod], Field(min_length=1)]
    tuning_seeds: Sourced[Count]
    seeds: Sourced[Count]
    targets: Sourced[Several[PositiveNumber]]
    together: bool = False

    @property
    def jobs(self) -> dict[str, list[str]]:
        """The methods of each job."""
        if self.together:
            return {"all": list(self.methods)}
        jobs = {}
        for name, method in self.methods.items():
            jobs.setdefault(method.job or name, []).append(name)
        return jobs

    def entry(self, name: str) -> Entry:
        """A method with its grid."""
        method = self.methods[name]
        return Entry(method=method.method, grid=self.grids[method.grid].value)

    @model_validator(mode="after")
    def _problems_fit(self) -> "Race":
        stages = [getattr(each.method, "stage_count", 1) for each in self.methods.values()]
        fewest = max(FEWEST_EVALUATIONS, *stages)
        for name, problem in self.problems.items():
            given = problem.evaluations.value
            if given < fewest:
                at = ["problems", name, "evaluations", "value"]
                refuse(at, given, f"at least {fewest} are needed")
            for method, each in self.methods.items():
                if name.endswith(CLASSES) and each.method.trainer not in CLASSIFIERS:
                    why = f"it has classes, which {method} does not fit"
                    refuse(["problems", name], name, why)
        return self

    @model_validator(mode="after")
    def _methods_fit(self) -> "Race":
        labels = [method.label for method in self.methods.values()]
        if len(set(labels)) < len(labels):
            refuse(["methods"], labels, "every label may be there only once")
        sizes = {name: len(grid.value.candidates) for name, grid in self.grids.items()}
        if len(set(sizes.values())) > 1:
            given = ", ".join(f"{name} {size}" for name, size in sizes.items())
            refuse(["grids"], given, "all grids must have as many candidates")
        for name, method in self.methods.items():
            at = ["methods", name]
            check_names([*at, "grid"], [method.grid], self.grids)
            others = [other for other in self.methods if other != name]
            if method.baseline is not None:
                check_names([*at, "baseline"], [method.baseline], others)
            if (method.job or name).endswith("_tuning"):
                refuse(at, method.job or name, "no name may end in _tuning, as files do")
            try:
                self.entry(name)
            except ValidationError as error:
                refuse([*at, "grid"], method.grid, error.errors()[0]["msg"])
        return self
