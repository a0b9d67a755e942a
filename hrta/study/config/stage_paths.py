"""The paths of methods through their stages: which s at which step."""

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from hrta.schedules import Plateau, Schedule, Stage
from hrta.study.config.values import Count, HomotopyParameter, Number, Strict

Part = Annotated[Number, Field(gt=0, lt=1)]


class PlateauRule(Strict):
    """The rule by which a stage ends early; see `hrta.Plateau`."""

    patience: Count
    threshold: Annotated[Number, Field(ge=0, lt=1)]


class StagePath(Strict):
    """The stages of a method, and what happens at a switch.

    Attributes:
        s: of each stage, all of equal length; or, with `stages`, the first and the last.
        stages: their number M; s changes by zeta = (last - first) / (M - 1) at each switch.
        switch: fraction of the steps before the only switch, for two stages of different length.
        plateau: the rule by which a stage may end early.
        reset_optimizer, preserve_function: as in `hrta.train`.
    """

    s: Annotated[list[HomotopyParameter], Field(min_length=1)]
    stages: Annotated[int, Field(ge=2, strict=True)] | None = None
    switch: Part | None = None
    plateau: PlateauRule | None = None
    reset_optimizer: bool = False
    preserve_function: bool = False

    @model_validator(mode="after")
    def _fits(self) -> "StagePath":
        if (self.stages or self.switch) and len(self.s) != 2:
            raise ValueError(
                "with stages or switch, s must have two values, the first and the last"
            )
        if self.switch and (self.stages or self.plateau):
            raise ValueError("switch cannot be combined with stages or plateau")
        at_switches = self.plateau or self.reset_optimizer or self.preserve_function
        if at_switches and len(self.s) == 1:
            raise ValueError("plateau, reset_optimizer and preserve_function need a second stage")
        if self.preserve_function and not all(self.s[1:]):
            raise ValueError("a switch to s = 0 cannot preserve the function")
        return self

    @property
    def stage_count(self) -> int:
        """The number of stages, M."""
        return self.stages or len(self.s)

    def schedule(self, steps: int) -> Schedule:
        """The stages over this number of steps; with a plateau rule their greatest lengths."""
        if self.switch:
            first = min(max(1, round(self.switch * steps)), steps - 1)
            return Schedule([Stage(self.s[0], first), Stage(self.s[1], steps - first)])
        values = np.linspace(*self.s, self.stages).tolist() if self.stages else self.s
        return Schedule.equal_parts(values, steps)

    @property
    def rule(self) -> Plateau | None:
        """The plateau rule, if any."""
        return None if self.plateau is None else Plateau(**self.plateau.model_dump())


class LayerwisePath(Strict):
    """The stages of a deep network.

    Attributes:
        s: of each stage, all of equal length.
        layerwise: whether the last change of s is made layer by layer, starting at the input.
    """

    s: Annotated[list[HomotopyParameter], Field(min_length=1)]
    layerwise: bool = False

    @model_validator(mode="after")
    def _changes(self) -> "LayerwisePath":
        if self.layerwise and len(self.s) == 1:
            raise ValueError("layerwise needs a second s")
        return self

    def of_layers(self, layers: int) -> list[list[float]]:
        """The s of each layer, stage by stage, for this number of layers."""
        if not self.layerwise:
            return [[s] * layers for s in self.s]
        *earlier, before, after = self.s
        return [[s] * layers for s in earlier] + [
            [after] * switched + [before] * (layers - switched) for switched in range(layers + 1)
        ]
