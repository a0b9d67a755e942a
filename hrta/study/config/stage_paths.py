"""Which s when: the path of a way to train through its stages."""

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from hrta.schedules import Plateau, Schedule, Stage
from hrta.study.config.values import Count, HomotopyParameter, Number, Strict

Part = Annotated[Number, Field(gt=0, lt=1)]


class PlateauRule(Strict):
    """When a stage ends before its steps are up; see `hrta.Plateau`."""

    patience: Count
    threshold: Annotated[Number, Field(ge=0, lt=1)]


class StagePath(Strict):
    """The stages of a way to train, and what happens at a switch.

    Attributes:
        s: of each stage, equally long; or, with `stages`, the first and the last.
        stages: how many, M; s rises by zeta = (last - first) / (M - 1) from each to the next.
        switch: the part of the steps before the only switch, if the two stages are not equal.
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
            raise ValueError("with stages or switch, s must be two values, the first and the last")
        if self.switch and (self.stages or self.plateau):
            raise ValueError("switch goes neither with stages nor with plateau")
        at_switches = self.plateau or self.reset_optimizer or self.preserve_function
        if at_switches and len(self.s) == 1:
            raise ValueError("plateau, reset_optimizer and preserve_function need a second stage")
        if self.preserve_function and not all(self.s[1:]):
            raise ValueError("no switch to s = 0 can preserve the function")
        return self

    @property
    def stage_count(self) -> int:
        """M."""
        return self.stages or len(self.s)

    def schedule(self, steps: int) -> Schedule:
        """The stages as so many steps in all; those of a plateau rule at their longest."""
        if self.switch:
            first = min(max(1, round(self.switch * steps)), steps - 1)
            return Schedule([Stage(self.s[0], first), Stage(self.s[1], steps - first)])
        values = np.linspace(*self.s, self.stages).tolist() if self.stages else self.s
        return Schedule.equal_parts(values, steps)

    @property
    def rule(self) -> Plateau | None:
        """The plateau rule, if there is one."""
        return None if self.plateau is None else Plateau(**self.plateau.model_dump())


class LayerwisePath(Strict):
    """The stages of a deep network.

    Attributes:
        s: of each stage, equally long.
        layerwise: make the last change of s in one layer after another, from the input on.
    """

    s: Annotated[list[HomotopyParameter], Field(min_length=1)]
    layerwise: bool = False

    @model_validator(mode="after")
    def _changes(self) -> "LayerwisePath":
        if self.layerwise and len(self.s) == 1:
            raise ValueError("layerwise needs a second s")
        return self

    def of_layers(self, layers: int) -> list[list[float]]:
        """s of each of so many layers, stage by stage."""
        if not self.layerwise:
            return [[s] * layers for s in self.s]
        *earlier, before, after = self.s
        return [[s] * layers for s in earlier] + [
            [after] * switched + [before] * (layers - switched) for switched in range(layers + 1)
        ]
