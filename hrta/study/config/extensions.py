"""The configuration of further schedules, activations and depths: each part is a race."""

from abc import abstractmethod
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from hrta.study.config.mistakes import check_names, relay
from hrta.study.config.race_methods import GradientMethod, Grid, PerceptronMethod
from hrta.study.config.races import Race, RaceMethod, RaceProblem
from hrta.study.config.stage_paths import LayerwisePath, StagePath
from hrta.study.config.values import (
    BaseName,
    Count,
    Label,
    Name,
    OptimizerName,
    PositiveNumber,
    Seeds,
    Several,
    Source,
    Sourced,
    Strict,
)


class Study(Strict):
    """The common part of all studies: problems, seeds, targets."""

    problems: Annotated[dict[Name, RaceProblem], Field(min_length=1)]
    seeds: Sourced[Seeds]
    tuning_seeds: Sourced[Seeds]
    targets: Sourced[Several[PositiveNumber]]
    together: bool = False

    @property
    @abstractmethod
    def race(self) -> Race:
        """The race of this study."""

    @model_validator(mode="after")
    def _race_fits(self) -> "Study":
        try:
            _ = self.race
        except ValidationError as error:
            relay(error)
        return self

    def _race(self, grids: dict[str, Sourced[Grid]], methods: dict[str, RaceMethod]) -> Race:
        return Race(
            problems=self.problems,
            grids=grids,
            methods=methods,
            tuning_seeds=self.tuning_seeds,
            seeds=self.seeds,
            targets=self.targets,
            together=self.together,
        )


class Variant(StagePath):
    """A path through the stages; the paths of one family are one job."""

    label: Label
    source: Source
    family: Name


class ScheduledOptimizer(Strict):
    """An optimizer and the grid of learning rates that each path is tuned on."""

    label: Label
    grid: Sourced[Grid]


class Schedules(Study):
    """Paths through the stages under each optimizer; the first path is the baseline.

    Attributes:
        curves: the paths whose loss curves are drawn.
    """

    optimizers: Annotated[dict[OptimizerName, ScheduledOptimizer], Field(min_length=1)]
    variants: Annotated[dict[Name, Variant], Field(min_length=2)]
    curves: Several[str]

    @model_validator(mode="after")
    def _curves_exist(self) -> "Schedules":
        check_names(["curves"], self.curves, self.variants)
        return self

    @property
    def race(self) -> Race:
        """Every path under every optimizer; the paths of one family are one job."""
        methods, baseline = {}, next(iter(self.variants))
        for optimizer, chosen in self.optimizers.items():
            for name, variant in self.variants.items():
                path = variant.model_dump(include=set(StagePath.model_fields))
                methods[f"{name}_{optimizer}"] = RaceMethod(
                    label=f"{variant.label}, {chosen.label}",
                    source=variant.source,
                    method=GradientMethod(trainer="gradient", optimizer=optimizer, **path),
                    grid=optimizer,
                    baseline=None if name == baseline else f"{baseline}_{optimizer}",
                    job=f"{variant.family}_{optimizer}",
                )
        return self._race({name: each.grid for name, each in self.optimizers.items()}, methods)


class NetworkPath(LayerwisePath):
    """The stages of a network of any depth."""

    label: Label
    source: Source


class Networks(Study):
    """Networks of further activations and depths under Adam; the first path is the baseline.

    Attributes:
        bases: label of each activation.
        hidden: numbers of hidden layers.
        paths: the stages of each path.
    """

    bases: Annotated[dict[BaseName, Label], Field(min_length=1)]
    hidden: Sourced[Several[Count]]
    grid: Sourced[Grid]
    paths: Annotated[dict[Name, NetworkPath], Field(min_length=2)]

    @property
    def race(self) -> Race:
        """Every path of every network; the paths of one network are one job."""
        methods = {}
        for base, layers in self.networks:
            plain, *_ = self.paths
            for name, path in self.paths.items():
                methods[f"{base}_{layers}_{name}"] = RaceMethod(
                    label=f"{self.bases[base]}, {layers} hidden, {path.label}",
                    source=path.source,
                    method=PerceptronMethod(
                        trainer="perceptron",
                        base=base,
                        hidden=layers,
                        s=path.s,
                        layerwise=path.layerwise,
                    ),
                    grid="grid",
                    baseline=None if name == plain else f"{base}_{layers}_{plain}",
                    job=f"{base}_{layers}",
                )
        return self._race({"grid": self.grid}, methods)

    @property
    def networks(self) -> list[tuple[str, int]]:
        """Activation and number of hidden layers of each network."""
        return [(base, layers) for base in self.bases for layers in self.hidden.value]


class Extensions(Strict):
    """Schedules, activations and depths that are not in the paper."""

    schedules: Schedules
    activations: Networks
    depth: Networks
