"""What the callbacks of all packages have in common: a scheduler for the model that is trained."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from hrta.drop_in import HomotopyScheduler
from hrta.drop_in.positions import PathFunction, start_of
from hrta.schedules import Plateau, Schedule, Stage


class SchedulerCallback:
    """Makes a scheduler when training begins and continues it when training is resumed."""

    _scheduler: HomotopyScheduler | None = None

    def __init__(
        self, schedule: Schedule | Iterable[Stage] | PathFunction, plateau: Plateau | None = None
    ) -> None:
        super().__init__()
        # A mistake is found here, not when training begins.
        self.schedule, self.plateau = start_of(schedule, plateau).schedule, plateau

    @property
    def scheduler(self) -> HomotopyScheduler:
        """The scheduler of the model; raises a ValueError before training."""
        if self._scheduler is None:
            raise ValueError("HomotopyCallback: the scheduler is made when training begins")
        return self._scheduler

    def attach(self, model: nn.Module) -> None:
        """Make a scheduler for the model; raises a ValueError without homotopy activations."""
        self._scheduler = HomotopyScheduler(model, self.schedule, self.plateau)

    def begin(self, step: int, state: Mapping[str, Any] | None) -> None:
        """Begin the schedule at step 0, or continue from the state of a checkpoint.

        Args:
            step: number of updates made before.
            state: of the scheduler then; None if there is none, which is a warning.
        """
        if step and state:
            self.scheduler.load_state_dict(state)
            return
        self.scheduler.restart()
        if step:
            warnings.warn(
                f"HomotopyCallback: training continues at step {step}, without a state of this "
                f"callback; the schedule begins now, with s = {self.scheduler.s:g}",
                stacklevel=2,
            )
