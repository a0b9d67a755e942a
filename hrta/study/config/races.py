"""The configuration of a race: methods, grids, problems."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError, model_validator

from hrta.problems.datasets import CLASSES
from hrta.study.config.base_spec import Jobs
from hrta.study.config.mistakes import check_names, refuse
from hrta.study.config.race_methods import CLASSIFIERS, Entry, Grid, RacedMethod
from hrta.study.config.race_spec import RacedProblem, RaceSpec
from hrta.study.config.values import (
    Count,
    Label,
    Name,
    PositiveNumber,
    Seeds,
    Several,
    Source,
    Sourced,
    Strict,
)

if TYPE_CHECKING:
    from hrta.study.config.replication import Replication

# The least number of evaluations; a method with more stages needs one evaluation for each stage.
FEWEST_EVALUATIONS = 3


class RaceProblem(Strict):
    """An experiment or a set of real data, with the gradient evaluations of each run."""

    label: Label
    widths: Sourced[Several[Count]]
    evaluations: Sourced[Count]


class RaceMethod(Strict):
    """A method of a race.

    Attributes:
        grid: name of the grid that it is tuned on.
        baseline: name of the method that it is compared with.
        job: name of the job, which runs its methods one after another; by default the method's.
    """

    label: Label
    source: Source
    method: RacedMethod
    grid: Name
    baseline: Name | None = None
    job: Name | None = None


class Race(Strict):
    """A race of methods on problems.

    Attributes:
        targets: training losses, for the cost up to each of them.
        together: whether all methods are one job, for small races.
    """

    problems: Annotated[dict[Name, RaceProblem], Field(min_length=1)]
    grids: Annotated[dict[Name, Sourced[Grid]], Field(min_length=1)]
    methods: Annotated[dict[Name, RaceMethod], Field(min_length=1)]
    tuning_seeds: Sourced[Seeds]
    seeds: Sourced[Seeds]
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
                refuse(at, given, f"must be at least {fewest}")
            for method, each in self.methods.items():
                if name.endswith(CLASSES) and each.method.trainer not in CLASSIFIERS:
                    why = f"it has classes, and {method} fits only numbers"
                    refuse(["problems", name], name, why)
        return self

    @model_validator(mode="after")
    def _methods_fit(self) -> "Race":
        labels = [method.label for method in self.methods.values()]
        if len(set(labels)) < len(labels):
            refuse(["methods"], labels, "labels must differ")
        sizes = {name: len(grid.value.candidates) for name, grid in self.grids.items()}
        if len(set(sizes.values())) > 1:
            given = ", ".join(f"{name} {size}" for name, size in sizes.items())
            refuse(["grids"], given, "all grids must have the same number of candidates")
        for name, method in self.methods.items():
            at = ["methods", name]
            check_names([*at, "grid"], [method.grid], self.grids)
            others = [other for other in self.methods if other != name]
            if method.baseline is not None:
                check_names([*at, "baseline"], [method.baseline], others)
            if (method.job or name).endswith("_tuning"):
                refuse(at, method.job or name, "must not end in _tuning, the suffix of files")
            try:
                self.entry(name)
            except ValidationError as error:
                refuse([*at, "grid"], method.grid, error.errors()[0]["msg"])
        return self


def race_jobs(settings: "Replication") -> Jobs:
    """The jobs of all races."""
    for folder, race in settings.races.items():
        problems = [
            RacedProblem.of(each, problem=settings.stored(name))
            for name, each in race.problems.items()
        ]
        for job, names in race.jobs.items():
            entries = {name: race.entry(name) for name in names}
            spec = RaceSpec.of(
                settings.training,
                race,
                device=settings.device,
                entries=entries,
                problems=problems,
            )
            yield f"{folder}/{job}", spec
