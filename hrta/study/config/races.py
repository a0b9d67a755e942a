"""The configuration of a race: methods, the grids that they are tuned on, problems."""

from typing import Annotated

from pydantic import Field, ValidationError

from hrta.problems.datasets import CLASSES
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

Mistake = tuple[list[str], object, str]


class RaceProblem(Strict):
    """An experiment or a set of real data, and how long each run may take."""

    label: Label
    widths: Sourced[Several[Count]]
    evaluations: Sourced[Count]


class RaceMethod(Strict):
    """A contestant, the grid it is tuned on, and the method that its gain is measured against.

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


def mistakes_of_race(race: Race) -> list[Mistake]:
    """What does not fit together: the path of a key, what was given, and what is wrong with it."""
    found = []
    labels = [method.label for method in race.methods.values()]
    if len(set(labels)) < len(labels):
        found.append((["methods"], labels, "every label may be there only once"))
    stages = max(getattr(method.method, "stage_count", 1) for method in race.methods.values())
    most = max(stages, 3)
    found += [
        (
            ["problems", name, "evaluations", "value"],
            problem.evaluations.value,
            f"at least {most} are needed",
        )
        for name, problem in race.problems.items()
        if problem.evaluations.value < most
    ]
    sizes = {name: len(grid.value.candidates) for name, grid in race.grids.items()}
    if len(set(sizes.values())) > 1:
        given = ", ".join(f"{name} {size}" for name, size in sizes.items())
        found.append((["grids"], given, "all grids must have as many candidates"))
    classes = [name for name in race.problems if name.endswith(CLASSES)]
    found += [
        (["problems", problem], problem, f"it has classes, which {name} does not fit")
        for problem in classes
        for name, method in race.methods.items()
        if method.method.trainer not in CLASSIFIERS
    ][:1]
    return found + [mistake for name in race.methods for mistake in _of_method(race, name)]


def _of_method(race: Race, name: str) -> list[Mistake]:
    method, at, found = race.methods[name], ["methods", name], []
    if method.grid not in race.grids:
        return [([*at, "grid"], method.grid, f"allowed are {', '.join(race.grids)}")]
    others = [other for other in race.methods if other != name]
    if method.baseline is not None and method.baseline not in others:
        found.append(([*at, "baseline"], method.baseline, f"allowed are {', '.join(others)}"))
    if (method.job or name).endswith("_tuning"):
        found.append((at, method.job or name, "no name may end in _tuning, as files do"))
    try:
        Entry(method=method.method, grid=race.grids[method.grid].value)
    except ValidationError as error:
        found.append(([*at, "grid"], method.grid, str(error.errors()[0]["msg"])))
    return found
