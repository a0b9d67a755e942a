"""The configuration as typed models: checked whole, before any job starts."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from hrta.problems.datasets import INCLUDED
from hrta.problems.targets import TARGETS, make_problem
from hrta.study.config.competitors import Siblings, mistakes
from hrta.study.config.extensions import Beyond
from hrta.study.config.extensions import mistakes as mistakes_of_beyond
from hrta.study.config.mistakes import check_names, checked, refuse
from hrta.study.config.poisson import Poisson
from hrta.study.config.poisson import mistakes as mistakes_of_poisson
from hrta.study.config.sweep import Sweep
from hrta.study.config.theory import Theory
from hrta.study.config.values import (
    Count,
    Fraction,
    HomotopyParameter,
    Label,
    Method,
    Name,
    Number,
    OptimizerName,
    PositiveNumber,
    Several,
    Sourced,
    Strict,
)


class Optimizer(Strict):
    """What an optimizer runs with; momentum only for heavy_ball and nesterov.

    Every method is trained with each of the learning rates; where a figure shows but one, it is the
    first.
    """

    label: Label
    learning_rates: Sourced[Several[PositiveNumber]]
    momentum: Sourced[Annotated[Number, Field(ge=0, lt=1)]] | None = None


class Training(Strict):
    """What all ensembles have in common."""

    stage_steps: Sourced[Count]
    decay: Sourced[Fraction]
    log_every: Sourced[Count]
    final_fraction: Sourced[Fraction]


class Experiment(Strict):
    """A problem, and the widths, methods and optimizers to run on it."""

    label: Label
    paper: bool
    problem: str
    points: Sourced[Count]
    test_points: Sourced[Count]
    widths: Sourced[Several[Count]]
    methods: Several[str]
    optimizers: Several[str]


class Spectra(Strict):
    """Where the tangent kernels' eigenvalues are computed."""

    s: Sourced[Several[HomotopyParameter]]
    seeds: Sourced[Count]


class Replication(Strict):
    """The whole configuration, config/replication.yaml."""

    device: Literal["auto", "cpu", "cuda"]
    engine: Literal["auto", "reference", "cpu", "cuda"]
    dtype: Literal["float32", "float64"]
    seeds: Sourced[Count]
    training: Training
    methods: Annotated[dict[Name, Method], Field(min_length=1)]
    optimizers: Annotated[dict[OptimizerName, Optimizer], Field(min_length=1)]
    experiments: Annotated[dict[Name, Experiment], Field(min_length=1)]
    spectra: Spectra
    theory: Theory
    siblings: Siblings
    poisson: Poisson
    beyond: Beyond
    sweep: Sweep | None = None

    @model_validator(mode="after")
    def _experiments_fit(self) -> "Replication":
        for name, experiment in self.experiments.items():
            at = ["experiments", name]
            if name in INCLUDED:
                refuse(at, name, "a set of real data has this name; choose another")
            check_names([*at, "problem"], [experiment.problem], TARGETS)
            check_names([*at, "methods"], experiment.methods, self.methods)
            check_names([*at, "optimizers"], experiment.optimizers, self.optimizers)
            self._check_methods(at, experiment)
            self._check_points(
                [*at, "points", "value"], experiment.problem, experiment.points.value
            )
        for name, optimizer in self.optimizers.items():
            at = ["optimizers", name, "momentum"]
            if (optimizer.momentum is not None) != (name in ("heavy_ball", "nesterov")):
                given = optimizer.momentum and optimizer.momentum.value
                refuse(at, given, "heavy_ball and nesterov, and only they, must have one")
        self._check_theory()
        self._check_sweep()
        for at, given, why in mistakes(self.siblings, set(self.experiments)):
            refuse(["siblings", *at], given, why)
        for at, given, why in mistakes_of_poisson(self.poisson):
            refuse(["poisson", *at], given, why)
        for at, given, why in mistakes_of_beyond(self.beyond, [*self.experiments, *INCLUDED]):
            refuse(["beyond", *at], given, why)
        for name, problem in self.siblings.acceleration.problems.items():
            if problem.points is not None:
                at = ["siblings", "acceleration", "problems", name, "points", "value"]
                self._check_points(at, self.experiments[name].problem, problem.points.value)
        return self

    def _check_theory(self) -> None:
        theory = self.theory
        shown = {
            "width_limit.experiments": theory.width_limit.experiments,
            "sample_number.experiments": theory.sample_number.experiments,
            "motion.experiment": [theory.motion.experiment],
            "rates.experiments": theory.rates.experiments,
        }
        for at, names in shown.items():
            check_names(["theory", at], list(names), self.experiments)
        check_names(["theory.motion.optimizers"], theory.motion.optimizers, self.optimizers)
        for at, methods in (
            ("theory.motion.methods", theory.motion.methods),
            ("theory.rates.methods", theory.rates.methods),
        ):
            check_names([at], methods, self.methods)
            self._check_stages([at], methods)
        for part, every in (("sample_number", theory.sample_number), ("rates", theory.rates)):
            for name, chosen in every.experiments.items():
                for n in np.atleast_1d(chosen.points.value).tolist():
                    at = ["theory", part, "experiments", name, "points", "value"]
                    self._check_points(at, self.experiments[name].problem, n)

    def _check_sweep(self) -> None:
        if self.sweep is None:
            return
        check_names(["sweep", "experiments"], self.sweep.experiments, self.experiments)
        check_names(["sweep", "learning_rates"], list(self.sweep.learning_rates), self.optimizers)
        stages = {name: len(method.s) for name, method in self.sweep.methods.items()}
        if len(set(stages.values())) > 1:
            refuse(["sweep", "methods"], stages, "all must have the same number of stages")

    @staticmethod
    def _check_points(at: list[str], problem: str, points: int) -> None:
        try:
            make_problem(problem, points, 1)
        except ValueError as error:
            refuse(at, points, str(error))

    def _check_methods(self, at: list[str], experiment: Experiment) -> None:
        if self.baseline not in experiment.methods:
            refuse(
                [*at, "methods"],
                experiment.methods,
                f"{self.baseline}, the first of all methods, must be there to compare with",
            )
        self._check_stages([*at, "methods"], experiment.methods)

    def _check_stages(self, at: list[str], methods: list[str]) -> None:
        stages = {name: len(self.methods[name].s) for name in methods}
        if len(set(stages.values())) > 1:
            refuse(at, stages, "all must have the same number of stages")

    @property
    def baseline(self) -> str:
        """The method that the others are compared with: the first."""
        return next(iter(self.methods))


def check_config(config: Any) -> Replication:
    """The configuration as models.

    Raises:
        ConfigError: what is wrong, a line for each mistake: the key's path, what was given, what
            is allowed.
    """
    return checked(Replication, config, "config")
