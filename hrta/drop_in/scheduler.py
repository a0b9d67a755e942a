"""Change s in a model during training."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor, nn

from hrta.activations import HomotopyActivation
from hrta.schedules import Plateau, PlateauTracker, Schedule, Stage


class HomotopyScheduler:
    """Sets s in a model stage by stage, as a learning-rate scheduler sets the learning rate.

    Every `HomotopyActivation` of the model gets the s of the stage. Call `step` after each update
    of the weights: a stage ends after its steps or, with a plateau rule, when its loss stops
    falling. The last stage does not end. Weights and optimizer are not changed.

    Args:
        model: contains at least one `HomotopyActivation`; see `convert`.
        schedule: the stages.
        plateau: the rule that ends a stage early; None for no such rule.

    Attributes:
        stage: number of the stage, counted from 1.
        s: its homotopy parameter.

    Raises:
        ValueError: no stage, a stage that is not a `Stage`, a plateau that is not a `Plateau`, or a
            model that is not a module or has no homotopy activation.
    """

    def __init__(
        self,
        model: nn.Module,
        schedule: Schedule | Iterable[Stage],
        plateau: Plateau | None = None,
    ) -> None:
        if not isinstance(schedule, Schedule | Iterable):
            raise ValueError(
                "HomotopyScheduler: schedule must be an hrta.Schedule or several stages; it is "
                f"{schedule!r}"
            )
        if not isinstance(plateau, Plateau | None):
            raise ValueError(
                f"HomotopyScheduler: plateau must be an hrta.Plateau; it is {plateau!r}"
            )
        if not isinstance(model, nn.Module):
            raise ValueError(
                "HomotopyScheduler: model must be a torch.nn.Module, not its optimizer; it is a "
                f"{type(model).__name__}"
            )
        self.schedule = schedule if isinstance(schedule, Schedule) else Schedule(schedule)
        self.plateau = plateau
        self._activations = [m for m in model.modules() if isinstance(m, HomotopyActivation)]
        if not self._activations:
            raise ValueError(
                "HomotopyScheduler: the model must contain a HomotopyActivation; it has none (see "
                "hrta.convert)"
            )
        self._start_stage(1)

    @property
    def s(self) -> float:
        """The homotopy parameter of the stage."""
        return self.schedule.stages[self.stage - 1].s

    def step(self, loss: float | Tensor | None = None) -> bool:
        """Count one update; returns whether the next stage begins.

        Args:
            loss: the loss of this update, for a plateau rule. NaN is not progress.

        Raises:
            ValueError: there is a plateau rule, and the loss is missing or not a number.
        """
        plateau = self.plateau is not None and self._tracker.update(_loss_value(loss))
        self._steps += 1
        last = self.stage == len(self.schedule.stages)
        if last or not (plateau or self._steps >= self.schedule.stages[self.stage - 1].steps):
            return False
        self._start_stage(self.stage + 1)
        return True

    def _start_stage(self, stage: int) -> None:
        self.stage, self._steps = stage, 0
        self._tracker = PlateauTracker(self.plateau or Plateau())
        for activation in self._activations:
            activation.s = self.s

    def state_dict(self) -> dict[str, Any]:
        """The stage, its steps and lowest loss so far, and the losses in a row without progress."""
        return {
            "stage": self.stage,
            "steps": self._steps,
            "lowest": self._tracker.lowest,
            "waited": self._tracker.waited,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from the state of a scheduler with the same schedule.

        Raises:
            ValueError: an incomplete state, or a stage that the schedule does not have.
        """
        if not isinstance(state, Mapping):
            raise ValueError(f"HomotopyScheduler: the state must be a dict; it is {state!r}")
        missing = sorted(self.state_dict().keys() - state.keys())
        if missing:
            raise ValueError(f"HomotopyScheduler: the state must have {', '.join(missing)}")
        counts = [state["stage"], state["steps"], state["waited"]]
        valid = all(isinstance(count, int) and count >= 0 for count in counts)
        if not (valid and isinstance(state["lowest"], int | float)):
            raise ValueError(
                "HomotopyScheduler: stage, steps and waited of the state must be non-negative "
                f"integers and lowest a number; it is {dict(state)}"
            )
        if not 1 <= state["stage"] <= len(self.schedule.stages):
            raise ValueError(
                f"HomotopyScheduler: stage of the state must be in "
                f"[1, {len(self.schedule.stages)}]; it is {state['stage']}"
            )
        self._start_stage(state["stage"])
        self._steps = state["steps"]
        self._tracker.lowest, self._tracker.waited = state["lowest"], state["waited"]


def _loss_value(loss: float | Tensor | None) -> float:
    """The loss as a float; raises a ValueError if it is missing or not a number."""
    if loss is None:
        raise ValueError("HomotopyScheduler: with a plateau rule, step must be given the loss")
    try:
        return float(loss.detach() if isinstance(loss, Tensor) else loss)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"HomotopyScheduler: loss must be a number; it is {loss}") from None
