"""Change s in a model during training."""

from collections.abc import Iterable, Mapping
from math import isclose
from typing import Any

from torch import Tensor, nn

from hrta.activations import HomotopyActivation
from hrta.drop_in.positions import PathFunction, start_of
from hrta.schedules import Plateau, Schedule, Stage


class HomotopyScheduler:
    """Sets s in a model, as a learning-rate scheduler sets the learning rate.

    Every `HomotopyActivation` of the model gets the s of the schedule. Call `step` after each
    update of the weights. Weights and optimizer are not changed.

    A schedule of stages: a stage ends after its steps or, with a plateau rule, when its loss stops
    falling; the last stage does not end. A function s(step): update `step` + 1 is made under
    s(step), so its argument is the number of updates made so far.

    An s that was loaded with the model's state_dict stays until the state of the scheduler is
    loaded, too, or `restart` is called.

    Args:
        model: contains at least one `HomotopyActivation`; see `convert`.
        schedule: the stages, or a function of the step with values in [0, 2]; called with the same
            step, it must return the same s.
        plateau: the rule that ends a stage early; None for no such rule.

    Raises:
        ValueError: no stage, a stage that is not a `Stage`, a plateau that is not a `Plateau` or
            that is given for a function, a function whose value is not a number in [0, 2], or a
            model that is not a module or has no homotopy activation.
    """

    def __init__(
        self,
        model: nn.Module,
        schedule: Schedule | Iterable[Stage] | PathFunction,
        plateau: Plateau | None = None,
    ) -> None:
        self._start = self._position = start_of(schedule, plateau)
        if not isinstance(model, nn.Module):
            raise ValueError(
                "HomotopyScheduler: model must be a torch.nn.Module, not its optimizer; it is a "
                f"{type(model).__name__}"
            )
        self._model = model
        self._activations = self._find_activations()
        for activation in self._activations:
            if activation.s_is_from != "loaded":
                activation.s = self.s

    @property
    def stage(self) -> int | None:
        """Number of the stage, counted from 1; None for a function s(step)."""
        return self._position.stage

    @property
    def s(self) -> float:
        """The homotopy parameter of the schedule for the next update."""
        return self._position.s

    def get_last_s(self) -> float:
        """The homotopy parameter that is set in the model, in its first activation."""
        return float(self._activations[0].s)

    def step(self, loss: float | Tensor | None = None) -> bool:
        """Count one update; returns whether the next stage begins, or s(step) has changed.

        Args:
            loss: the loss of this update, for a plateau rule. NaN is not progress.

        Raises:
            ValueError: there is a plateau rule, and the loss is missing or not a number; s(step) is
                not a number in [0, 2]; or the model has an s that was loaded and is not that of
                the schedule.
        """
        self._check_loaded()
        before, self._position = self._position, self._position.after_update(loss)
        changed = (self.stage, self.s) != (before.stage, before.s)
        if changed:
            self._set_s()
        return changed

    def restart(self) -> None:
        """Begin the schedule again: no update has been made, and s is set to its first value."""
        self._position = self._start
        self._set_s()

    def _find_activations(self) -> list[HomotopyActivation]:
        """Those that the model has now; raises a ValueError if it has none."""
        found = [m for m in self._model.modules() if isinstance(m, HomotopyActivation)]
        if not found:
            raise ValueError(
                "HomotopyScheduler: the model must contain a HomotopyActivation; it has none (see "
                "hrta.convert)"
            )
        return found

    def _set_s(self) -> None:
        # The model may have been converted once more, or restored.
        self._activations = self._find_activations()
        for activation in self._activations:
            activation.s = self.s

    def _check_loaded(self) -> None:
        """Raise a ValueError if a state_dict has changed s to another than the schedule's."""
        for activation in self._activations:
            if activation.s_is_from != "set":
                s = float(activation.s)
                if not isclose(s, self.s, rel_tol=1e-6):  # it may have been float32
                    raise ValueError(
                        f"HomotopyScheduler: the model was loaded with s = {s:g}, where the "
                        f"schedule has s = {self.s:g}; load the scheduler's state, too, or begin "
                        "the schedule again with scheduler.restart()"
                    )
                activation.s = self.s

    def state_dict(self) -> dict[str, Any]:
        """Where training is, in lists and numbers.

        For stages: schedule and plateau rule, the stage, its steps and lowest loss so far, and the
        losses in a row without progress. For a function: step and s(step).
        """
        return self._position.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from the state of a scheduler with the same schedule, and set s in the model.

        Raises:
            ValueError: an incomplete or invalid state, or that of another schedule; for a function,
                one that has another value at the step of the state.
        """
        self._position = self._position.at(state)
        self._set_s()

    def __repr__(self) -> str:
        return f"HomotopyScheduler({self._position})"
