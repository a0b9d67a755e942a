"""Stages and schedules of homotopy relaxation training: which s for how many steps."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from hrta.runtime.arguments import as_number


@dataclass(frozen=True)
class Stage:
    """`steps` updates under the activation sigma_s.

    Raises:
        ValueError: s not a number in [0, 2], or steps not a positive integer.
    """

    s: float
    steps: int

    def __post_init__(self) -> None:
        s, steps = as_number(self.s), as_number(self.steps)
        if not 0 <= s <= 2:
            raise ValueError(f"stage: s must be in [0, 2]; it is {self.s}")
        if not (steps >= 1 and steps.is_integer()):
            raise ValueError(f"stage: steps must be a positive integer; it is {self.steps}")
        object.__setattr__(self, "s", float(self.s))
        object.__setattr__(self, "steps", int(self.steps))


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
        if not isinstance(stages, Iterable):
            raise ValueError(f"schedule: stages must be several hrta.Stage; it is {stages!r}")
        object.__setattr__(self, "stages", tuple(stages))
        if not self.stages:
            raise ValueError("schedule: at least one stage is needed")
        if not all(isinstance(stage, Stage) for stage in self.stages):
            raise ValueError("schedule: every stage must be an hrta.Stage")

    @classmethod
    def constant_length(cls, s: Iterable[float], steps: int) -> "Schedule":
        """One stage of `steps` updates for each value of s."""
        return cls(Stage(value, steps) for value in s)

    @classmethod
    def equal_parts(cls, s: Sequence[float], steps: int) -> "Schedule":
        """One stage for each value of s, `steps` updates in total; lengths differ by at most 1.

        Raises:
            ValueError: fewer steps than values.
        """
        if steps < len(s):
            raise ValueError(
                f"schedule: steps must be at least {len(s)}, one for each stage; it is {steps}"
            )
        boundaries = [steps * stage // len(s) for stage in range(len(s) + 1)]
        lengths = (after - before for before, after in pairwise(boundaries))
        return cls(Stage(value, length) for value, length in zip(s, lengths, strict=True))

    @classmethod
    def linear(cls, start: float, zeta: float, stages: int, steps: int) -> "Schedule":
        """s_p = start + (p - 1) zeta for p = 1 .. stages, `steps` updates each."""
        return cls.constant_length((start + p * zeta for p in range(stages)), steps)

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
        if not 0 <= step <= self.steps:
            raise ValueError(f"schedule: step must be in [0, {self.steps}]; it is {step}")
        return 1 + bisect_right(self.switches, step)

    def s_at(self, step: int) -> float:
        """The homotopy parameter of update `step` + 1."""
        return self.stages[self.stage_at(step) - 1].s


@dataclass(frozen=True)
class Plateau:
    """A rule that ends a stage early when its loss stops falling.

    Attributes:
        patience: the stage ends after this many losses in a row without progress.
        threshold: progress is a loss below (1 - threshold) times the lowest loss of the stage.

    Raises:
        ValueError: a patience below 1, or a threshold outside [0, 1).
    """

    patience: int = 10
    threshold: float = 1e-3

    def __post_init__(self) -> None:
        patience = as_number(self.patience)
        if not (patience >= 1 and patience.is_integer()):
            raise ValueError(f"plateau: patience must be a positive integer; it is {self.patience}")
        if not 0 <= as_number(self.threshold) < 1:
            raise ValueError(f"plateau: threshold must be in [0, 1); it is {self.threshold}")


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
        if loss < (1 - self.rule.threshold) * self.lowest:
            self.lowest, self.waited = loss, 0
        else:
            self.waited += 1
        return self.waited >= self.rule.patience
