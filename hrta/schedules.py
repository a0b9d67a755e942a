"""Stages and schedules of homotopy relaxation training: which s for how many steps."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import cos, isfinite, pi
from typing import Any

import numpy as np

from hrta.runtime.arguments import as_integer, as_number, shown
from hrta.runtime.memory import need_memory

# Memory of a stage: the object with its numbers.
BYTES_OF_STAGE = 200


@dataclass(frozen=True)
class Stage:
    """`steps` updates under the activation sigma_s.

    Raises:
        ValueError: s not a number in [0, 2], or steps not a positive integer.
    """

    s: float
    steps: int

    def __post_init__(self) -> None:
        if not 0 <= as_number(self.s) <= 2:
            raise ValueError(f"stage: s must be in [0, 2]; it is {shown(self.s)}")
        object.__setattr__(self, "steps", as_integer(self.steps, "stage: steps"))
        object.__setattr__(self, "s", float(self.s))


def _finite(value: Any, name: str) -> float:
    """The value as a float; raises a ValueError if it is not a finite number."""
    if not isfinite(as_number(value)):
        raise ValueError(f"schedule: {name} must be a number; it is {shown(value)}")
    return float(value)


def _several(values: Any, name: str) -> tuple:
    """The values as a tuple; raises a ValueError if they are not several."""
    if isinstance(values, str | bytes) or not np.iterable(values):
        raise ValueError(f"schedule: {name}; it is {shown(values)}")
    return tuple(values)


def _count(stages: Any) -> int:
    """The number of stages; raises an error if it is not a positive integer, or far too large."""
    count = as_integer(stages, "schedule: stages")
    need_memory(BYTES_OF_STAGE * count, f"schedule: {count} stages")
    return count


def _unrounded(s: float) -> float:
    """s, or the nearer end of [0, 2] if only rounding has put it outside."""
    nearest = min(max(s, 0.0), 2.0)
    return nearest if abs(s - nearest) < 1e-12 else s


@dataclass(frozen=True)
class Schedule:
    """Stages p = 1 .. M, trained one after another.

    Each stage starts from the weights of the one before. A switch of s does not change the
    weights, so the function and the loss jump there.

    Raises:
        ValueError: no stage, or a stage that is not a `Stage`.

    Source: arXiv 2309.15244, abstract.
    """

    stages: tuple[Stage, ...]

    def __init__(self, stages: Iterable[Stage]) -> None:
        several = _several(stages, "stages must be several hrta.Stage")
        object.__setattr__(self, "stages", several)
        if not self.stages:
            raise ValueError("schedule: at least one stage is needed")
        if not all(isinstance(stage, Stage) for stage in self.stages):
            raise ValueError("schedule: every stage must be an hrta.Stage")

    @classmethod
    def constant_length(cls, s: Iterable[float], steps: int) -> "Schedule":
        """One stage of `steps` updates for each value of s."""
        values = _several(s, "s must be several numbers")
        return cls(Stage(value, steps) for value in values)

    @classmethod
    def equal_parts(cls, s: Sequence[float], steps: int) -> "Schedule":
        """One stage for each value of s, `steps` updates in total; lengths differ by at most 1.

        Raises:
            ValueError: no value, or fewer steps than values.
        """
        values = _several(s, "s must be several numbers")
        total = as_integer(steps, "schedule: steps")
        if total < len(values):
            raise ValueError(
                f"schedule: steps must be at least {len(values)}, one for each stage; it is {total}"
            )
        boundaries = [total * stage // max(1, len(values)) for stage in range(len(values) + 1)]
        lengths = (after - before for before, after in pairwise(boundaries))
        return cls(Stage(value, length) for value, length in zip(values, lengths, strict=True))

    @classmethod
    def linear(cls, start: float, zeta: float, stages: int, steps: int) -> "Schedule":
        """s_p = start + (p - 1) zeta for p = 1 .. stages, `steps` updates each.

        Raises:
            ValueError: start or zeta not a finite number, stages or steps not a positive integer,
                or a value of s outside [0, 2] by more than rounding.
        """
        first, slope = _finite(start, "start"), _finite(zeta, "zeta")
        count = _count(stages)
        return cls.constant_length((_unrounded(first + p * slope) for p in range(count)), steps)

    @classmethod
    def cosine(cls, start: float, end: float, stages: int, steps: int) -> "Schedule":
        """s_p = end + (start - end) (1 + cos(pi (p - 1) / (stages - 1))) / 2, `steps` updates each.

        p = 1 .. stages; s changes slowly at both ends of the path.

        Raises:
            ValueError: start or end not a number in [0, 2], stages not an integer above 1 (a path
                from start to end has both), or steps not a positive integer.

        Source: Loshchilov & Hutter, arXiv 1608.03983, for the learning rate.
        """
        first, last = _finite(start, "start"), _finite(end, "end")
        count = _count(stages)
        if count == 1:
            raise ValueError("schedule: a cosine path must have at least 2 stages; it has 1")
        # As weights of the two ends, which are exact then.
        weights = [(1 + cos(pi * p / (count - 1))) / 2 for p in range(count)]
        return cls.constant_length(
            (_unrounded(weight * first + (1 - weight) * last) for weight in weights), steps
        )

    def __str__(self) -> str:
        if len(self.stages) <= 4:
            return ", ".join(f"s = {stage.s:g} for {stage.steps} steps" for stage in self.stages)
        first, last = self.stages[0].s, self.stages[-1].s
        return f"{len(self.stages)} stages from s = {first:g} to {last:g}, {self.steps} steps"

    @cached_property
    def steps(self) -> int:
        """Total number of updates."""
        return sum(stage.steps for stage in self.stages)

    @cached_property
    def switches(self) -> tuple[int, ...]:
        """The steps at which stages 2 to M begin."""
        return tuple(accumulate(stage.steps for stage in self.stages[:-1]))

    def stage_at(self, step: int) -> int:
        """Number of the stage of update `step` + 1, counted from 1; after the last update, M.

        Raises:
            ValueError: step outside [0, steps].
        """
        if not (0 <= as_number(step) <= self.steps and as_number(step).is_integer()):
            raise ValueError(
                f"schedule: step must be an integer in [0, {self.steps}]; it is {shown(step)}"
            )
        return 1 + bisect_right(self.switches, step)

    def s_at(self, step: int) -> float:
        """The homotopy parameter of update `step` + 1."""
        return self.stages[self.stage_at(step) - 1].s


@dataclass(frozen=True)
class Plateau:
    """A rule that ends a stage early when its loss stops falling.

    Attributes:
        patience: the stage ends after this many losses in a row without progress.
        threshold: progress is a loss below the lowest loss L of the stage by more than threshold
            times |L|.

    Raises:
        ValueError: a patience below 1, or a threshold outside [0, 1).
    """

    patience: int = 10
    threshold: float = 1e-3

    def __post_init__(self) -> None:
        as_integer(self.patience, "plateau: patience")
        if not 0 <= as_number(self.threshold) < 1:
            raise ValueError(f"plateau: threshold must be in [0, 1); it is {shown(self.threshold)}")


@dataclass
class PlateauTracker:
    """Applies a plateau rule to the losses of one stage, one after another.

    Attributes:
        rule: the rule.
        lowest: the lowest loss so far.
        waited: number of losses in a row without progress.
    """

    rule: Plateau
    lowest: float = float("inf")
    waited: int = 0

    def update(self, loss: float) -> bool:
        """Add the next loss; returns whether the stage ends."""
        factor = 1 - self.rule.threshold if self.lowest > 0 else 1 + self.rule.threshold
        if loss < factor * self.lowest:
            self.lowest, self.waited = loss, 0
        else:
            self.waited += 1
        return self.waited >= self.rule.patience
