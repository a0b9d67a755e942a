"""The whole configuration as typed models, checked before any job starts."""

from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from hrta.problems.datasets import INCLUDED
from hrta.problems.targets import TARGETS, make_problem
from hrta.study.config.competitors import Competitors
from hrta.study.config.extensions import Extensions
from hrta.study.config.mistakes import check_names, check_stages, checked, refuse
from hrta.study.config.poisson import Poisson
from hrta.study.config.problem_sources import DataSet, SampledProblem
from hrta.study.config.races import Race
from hrta.study.config.sweep import Sweep
from hrta.study.config.theory import Spectra, Theory, check_theory
from hrta.study.config.training import Optimizer, Training
from hrta.study.config.values import (
    RENAMED,
    WITH_MOMENTUM,
    Count,
    Device,
    Dtype,
    EngineName,
    Label,
    Method,
    Name,
    OptimizerName,
    Points,
    Seeds,
    Several,
    Sourced,
    Strict,
)


def _known_engine(given: Any) -> Any:
    if given in ("reference", "cpu", "cuda"):
        raise ValueError(f"it was renamed to {RENAMED[given]}")
    return given


class Experiment(Strict):
    """A problem, and the widths, methods and optimizers that are trained on it.

    Attributes:
        by_rate_from: the width from which on each learning rate is a job of its own, because the
            jobs take long; if it is not given, all learning rates are one job.
    """

    label: Label
    paper: bool
    problem: str
    points: Sourced[Points]
    test_points: Sourced[Points]
    widths: Sourced[Several[Count]]
    methods: Several[str]
    optimizers: Several[str]
    by_rate_from: Count | None = None

    @model_validator(mode="after")
    def _problem_exists(self) -> "Experiment":
        check_names(["problem"], [self.problem], TARGETS)
        self.check_points(["points", "value"], self.points.value)
        return self

    def check_points(self, at: list[str], points: int) -> None:
        """Refuse, from a validator, a number of points that the problem cannot have."""
        try:
            make_problem(self.problem, points, 1)
        except (ValueError, MemoryError) as error:
            refuse(at, points, str(error))


class Replication(Strict):
    """The whole configuration, config/replication.yaml."""

    device: Device
    engine: Annotated[EngineName, BeforeValidator(_known_engine)]
    dtype: Dtype
    seeds: Sourced[Seeds]
    training: Training
    methods: Annotated[dict[Name, Method], Field(min_length=1)]
    optimizers: Annotated[dict[OptimizerName, Optimizer], Field(min_length=1)]
    experiments: Annotated[dict[Name, Experiment], Field(min_length=1)]
    spectra: Spectra
    theory: Theory
    competitors: Competitors
    poisson: Poisson
    extensions: Extensions
    sweep: Sweep | None = None

    @property
    def baseline(self) -> str:
        """The method that the others are compared with: the first one."""
        return next(iter(self.methods))

    @property
    def races(self) -> dict[str, Race]:
        """All races by the folders of their results."""
        extensions = self.extensions
        return {
            "race": self.competitors.race,
            "schedules": extensions.schedules.race,
            "activations": extensions.activations.race,
            "depth": extensions.depth.race,
        }

    def stages(self, names: Iterable[str]) -> dict[str, list[float]]:
        """The s of each stage, for each of these methods."""
        return {name: self.methods[name].s for name in names}

    def sampled(
        self,
        experiment: str,
        points: int | None = None,
        test_points: int = 1,
        file: str | None = None,
    ) -> SampledProblem:
        """The problem of an experiment, with its own or the given number of points."""
        chosen = self.experiments[experiment]
        points = points or chosen.points.value
        return SampledProblem(
            name=chosen.problem,
            points=points,
            test_points=test_points,
            file=file,
            digest=points_digest(chosen.problem, points, test_points),
        )

    def stored(self, name: str) -> SampledProblem | DataSet:
        """The points of an experiment or of a set of real data, in the file of its data job."""
        file = f"data/{name}.parquet"
        if name not in self.experiments:
            return DataSet(name=name, file=file)
        test_points = self.experiments[name].test_points.value
        return self.sampled(name, test_points=test_points, file=file)

    @model_validator(mode="after")
    def _optimizers_fit(self) -> "Replication":
        for name, optimizer in self.optimizers.items():
            if (optimizer.momentum is not None) != (name in WITH_MOMENTUM):
                given = optimizer.momentum and optimizer.momentum.value
                why = "must be given for heavy_ball and nesterov, and for no others"
                refuse(["optimizers", name, "momentum"], given, why)
        return self

    @model_validator(mode="after")
    def _experiments_fit(self) -> "Replication":
        for name, experiment in self.experiments.items():
            at = ["experiments", name]
            if name in INCLUDED:
                refuse(at, name, "a set of real data has this name; choose another")
            self.check_methods([*at, "methods"], experiment.methods)
            check_names([*at, "optimizers"], experiment.optimizers, self.optimizers)
            if self.baseline not in experiment.methods:
                why = f"must have {self.baseline}, the baseline"
                refuse([*at, "methods"], experiment.methods, why)
        return self

    @model_validator(mode="after")
    def _theory_fits(self) -> "Replication":
        check_theory(self)
        return self

    @model_validator(mode="after")
    def _sweep_fits(self) -> "Replication":
        if self.sweep is not None:
            check_names(["sweep", "experiments"], self.sweep.experiments, self.experiments)
            check_names(["sweep", "learning_rates"], self.sweep.learning_rates, self.optimizers)
        return self

    @model_validator(mode="after")
    def _competitors_fit(self) -> "Replication":
        competitors = self.competitors
        experiments, known = sorted(self.experiments), [*sorted(self.experiments), *INCLUDED]
        slopes, accelerated = competitors.adaptive_slopes, competitors.acceleration.problems
        at = ["competitors", "acceleration", "problems"]
        for name, problem in accelerated.items():
            check_names([*at, name], [name], known)
            if problem.points is not None and name in INCLUDED:
                refuse(
                    [*at, name, "points"], problem.points.value, "must be left out for real data"
                )
            if problem.points is not None:
                self.check_points(at, name, problem.points.value)
        for name in competitors.race.problems:
            check_names(["competitors", "race", "problems", name], [name], known)
        at = ["competitors", "adaptive_slopes", "experiment"]
        check_names(at, [slopes.experiment], experiments)
        return self

    @model_validator(mode="after")
    def _extensions_fit(self) -> "Replication":
        for part, study in self.extensions:
            for name in study.problems:
                at = ["extensions", part, "problems", name]
                check_names(at, [name], [*self.experiments, *INCLUDED])
        return self

    def check_points(self, at: list[str], experiment: str, points: int) -> None:
        """Refuse, from a validator, a number of points that an experiment cannot have."""
        self.experiments[experiment].check_points([*at, experiment, "points", "value"], points)

    def check_methods(self, at: list[str], methods: list[str]) -> None:
        """Refuse, from a validator, unknown methods and methods that differ in their stages."""
        check_names(at, methods, self.methods)
        check_stages(at, {name: self.methods[name].s for name in methods})


@cache
def points_digest(name: str, points: int | None, test_points: int) -> str:
    """SHA-256 of the points of a sampled problem."""
    return make_problem(name, points, test_points).digest


def check_config(config: Any) -> Replication:
    """The configuration as models.

    Raises:
        ConfigError: one line for each mistake: the path of the key, the given value, what is
            allowed.
    """
    return checked(Replication, config, "config")
