"""Where training is on a schedule: in its stages, or on a path s(step)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf, isclose, isnan
from typing import Any

from torch import Tensor

from hrta.runtime.arguments import TOO_LARGE, number_or_none, shown
from hrta.schedules import Plateau, PlateauTracker, Schedule, Stage

PathFunction = Callable[[int], float]


@dataclass(frozen=True)
class StagePosition:
    """A stage of a schedule, and the updates made in it.

    Attributes:
        schedule: the stages.
        plateau: the rule that ends a stage early; None for no such rule.
        stage: number of the stage, counted from 1.
        steps: number of updates made in the stage.
        lowest: the lowest loss of the stage, for the plateau rule.
        waited: number of losses in a row without progress, for the plateau rule.
    """

    schedule: Schedule
    plateau: Plateau | None = None
    stage: int = 1
    steps: int = 0
    lowest: float = inf
    waited: int = 0

    @property
    def s(self) -> float:
        """The homotopy parameter of the next update."""
        return self.schedule.stages[self.stage - 1].s

    def after_update(self, loss: float | Tensor | None) -> "StagePosition":
        """The position after one more update."""
        tracker = PlateauTracker(self.plateau or Plateau(), self.lowest, self.waited)
        flat = self.plateau is not None and tracker.update(_loss_value(loss))
        steps = self.steps + 1
        last = self.stage == len(self.schedule.stages)
        if not last and (flat or steps >= self.schedule.stages[self.stage - 1].steps):
            return StagePosition(self.schedule, self.plateau, self.stage + 1)
        return replace(self, steps=steps, lowest=tracker.lowest, waited=tracker.waited)

    def state_dict(self) -> dict[str, Any]:
        """The position in lists and numbers."""
        return {
            "schedule": [[stage.s, stage.steps] for stage in self.schedule.stages],
            "plateau": self.plateau and [int(self.plateau.patience), float(self.plateau.threshold)],
            "stage": self.stage,
            "steps": self.steps,
            "lowest": self.lowest,
            "waited": self.waited,
        }

    def at(self, state: Mapping[str, Any]) -> "StagePosition":
        """The position with this state; raises a ValueError if it is of another schedule."""
        _check_keys(state, self.state_dict())
        self._check_same_schedule(state)
        counts = [state["stage"], state["steps"], state["waited"]]
        lowest = state["lowest"]
        if not (all(map(_is_count, counts)) and _is_real(lowest)):
            raise ValueError(
                "HomotopyScheduler: stage, steps and waited of the state must be non-negative "
                f"integers and lowest a number; they are {shown(counts)} and {shown(lowest)}"
            )
        if not 1 <= state["stage"] <= len(self.schedule.stages):
            raise ValueError(
                f"HomotopyScheduler: stage of the state must be in "
                f"[1, {len(self.schedule.stages)}]; it is {state['stage']}"
            )
        self._check_counts(*counts)
        return StagePosition(self.schedule, self.plateau, counts[0], counts[1], lowest, counts[2])

    def _check_counts(self, stage: int, steps: int, waited: int) -> None:
        """Raise a ValueError if a stage cannot have so many steps, or losses without progress."""
        last = stage == len(self.schedule.stages)
        most = TOO_LARGE if last else self.schedule.stages[stage - 1].steps
        patience = self.plateau.patience if self.plateau and not last else TOO_LARGE
        if not (steps < most and waited <= steps and waited < patience):
            raise ValueError(
                f"HomotopyScheduler: in stage {stage} steps of the state must be below {most} and "
                f"waited at most steps and below the patience; they are {steps} and {waited}"
            )

    def _check_same_schedule(self, state: Mapping[str, Any]) -> None:
        """Raise a ValueError that says how the schedule or plateau rule of the state differs."""
        try:
            other = Schedule(Stage(*stage) for stage in state["schedule"]).stages
            plateau = None if state["plateau"] is None else Plateau(*state["plateau"])
        except (TypeError, ValueError, RuntimeError):
            raise ValueError(
                "HomotopyScheduler: the state must have a schedule [[s, steps], …] and a plateau "
                f"[patience, threshold] or None; they are {shown(state['schedule'])} and "
                f"{shown(state['plateau'])}"
            ) from None
        difference = f"{plateau} there, {self.plateau} here" if plateau != self.plateau else ""
        stages = self.schedule.stages
        if len(other) != len(stages):
            difference = f"{len(other)} stages there, {len(stages)} here"
        elif other != stages:
            number = next(n for n, stage in enumerate(stages) if other[n] != stage)
            difference = f"stage {number + 1} is {other[number]} there, {stages[number]} here"
        if difference:
            raise ValueError(f"HomotopyScheduler: the state is of another schedule: {difference}")

    def __str__(self) -> str:
        rule = f", {self.plateau}" if self.plateau else ""
        stages = len(self.schedule.stages)
        return (
            f"{self.schedule}{rule}; now stage {self.stage} of {stages}, {self.steps} steps made "
            f"in it, s = {self.s:g}"
        )


@dataclass(frozen=True)
class PathPosition:
    """A point of a path s(step).

    Attributes:
        schedule: the function; it must be the same at each call.
        step: number of updates made.
        s: the homotopy parameter of the next update.
        stage: None, for a path has no stages.

    Raises:
        ValueError: s(step) is not a number in [0, 2].
    """

    schedule: PathFunction
    step: int = 0
    s: float = field(init=False)
    stage: None = field(init=False, default=None)

    def __post_init__(self) -> None:
        value = self.schedule(self.step)
        s = number_or_none(value)
        if s is None or not 0 <= s <= 2:
            raise ValueError(
                f"HomotopyScheduler: s must be a number in [0, 2]; at step {self.step} it is "
                f"{shown(value)}"
            )
        object.__setattr__(self, "s", s)

    def after_update(self, _: object) -> "PathPosition":
        """The position after one more update."""
        return PathPosition(self.schedule, self.step + 1)

    def state_dict(self) -> dict[str, Any]:
        """The position in numbers. The function is not stored."""
        return {"step": self.step, "s": self.s}

    def at(self, state: Mapping[str, Any]) -> "PathPosition":
        """The position with this state; raises a ValueError if it is of another path."""
        _check_keys(state, self.state_dict())
        if not (_is_count(state["step"]) and _is_real(state["s"])):
            raise ValueError(
                "HomotopyScheduler: step of the state must be a non-negative integer and s a "
                f"number; they are {shown(state['step'])} and {shown(state['s'])}"
            )
        position = PathPosition(self.schedule, state["step"])
        if not isclose(position.s, state["s"], rel_tol=1e-9, abs_tol=1e-12):
            raise ValueError(
                "HomotopyScheduler: the state is of another schedule: at step "
                f"{state['step']} s is {state['s']} there, {position.s} here"
            )
        return position

    def __str__(self) -> str:
        name = getattr(self.schedule, "__name__", type(self.schedule).__name__)
        return f"{name}(step); now {self.step} steps made, s = {self.s:g}"


def start_of(
    schedule: Schedule | Iterable[Stage] | PathFunction, plateau: Plateau | None
) -> StagePosition | PathPosition:
    """The position before the first update.

    Raises:
        ValueError: a schedule that is none of these, a plateau that is not a `Plateau`, or a
            plateau for a path.
    """
    if not isinstance(plateau, Plateau | None):
        raise ValueError(
            f"HomotopyScheduler: plateau must be an hrta.Plateau; it is {shown(plateau)}"
        )
    if isinstance(schedule, Schedule):
        return StagePosition(schedule, plateau)
    if callable(schedule):
        if plateau is not None:
            raise ValueError(
                "HomotopyScheduler: a plateau rule ends stages; with a function s(step) it must be "
                "None"
            )
        return PathPosition(schedule)
    if isinstance(schedule, Iterable):
        return StagePosition(Schedule(schedule), plateau)
    raise ValueError(
        "HomotopyScheduler: schedule must be an hrta.Schedule, several stages or a function "
        f"s(step); it is {shown(schedule)}"
    )


def _check_keys(state: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Raise a ValueError if the state is no mapping, lacks a key, or is of the other kind."""
    if not isinstance(state, Mapping):
        raise ValueError(f"HomotopyScheduler: the state must be a dict; it is {shown(state)}")
    missing = sorted(own.keys() - state.keys())
    here = "stages" if "schedule" in own else "a function s(step)"
    there = "stages" if "schedule" in state else "a function s(step)" if "s" in state else here
    if missing and there != here:
        raise ValueError(
            f"HomotopyScheduler: the state is of another schedule: {there} there, {here} here"
        )
    if missing:
        raise ValueError(f"HomotopyScheduler: the state must have {', '.join(missing)}")


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < TOO_LARGE


def _is_real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value)


def _loss_value(loss: float | Tensor | None) -> float:
    """The loss as a float; raises a ValueError if it is missing or not a number."""
    if loss is None:
        raise ValueError("HomotopyScheduler: with a plateau rule, step must be given the loss")
    number = number_or_none(loss)
    if number is None:
        raise ValueError(f"HomotopyScheduler: loss must be a number; it is {shown(loss)}")
    return number
