"""HRTA in the Trainer of Hugging Face's package `transformers`."""

from collections.abc import Iterable
from typing import Any, cast

from hrta.drop_in.positions import PathFunction
from hrta.integrations.callback import SchedulerCallback
from hrta.runtime.imports import needed_by
from hrta.schedules import Schedule, Stage

with needed_by("hrta.integrations.transformers"):
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

__all__ = ["HomotopyCallback"]

# The state of the scheduler has this key among those of callbacks in a checkpoint's
# trainer_state.json. A callback that the Trainer knows as stateful is made anew from arguments in
# that file, and only if the Trainer restores callbacks at all; a function s(step) cannot be there.
STATE = "hrta.HomotopyScheduler"


class HomotopyCallback(SchedulerCallback, TrainerCallback):
    """Sets s in the model that is trained, update by update.

    A step of the schedule is an update of the weights, as the Trainer counts them: with gradients
    that are accumulated over several batches it is one for all of them. s is logged as "s", with
    the loss, in the history of the Trainer and its printed output; other callbacks that report to
    a logger come before this one and do not see it. Checkpoints of the Trainer have the state of
    the scheduler, and `train(resume_from_checkpoint=...)` continues from it. There is no plateau
    rule, for the Trainer does not tell callbacks the loss of an update.

    Args:
        schedule: an `hrta.Schedule`, several stages, or a function s(step); see
            `hrta.HomotopyScheduler`.

    Raises:
        ValueError: what `hrta.HomotopyScheduler` refuses, when training begins also a model without
            homotopy activations.
    """

    def __init__(self, schedule: Schedule | Iterable[Stage] | PathFunction) -> None:
        super().__init__(schedule)

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        **others: Any,
    ) -> None:
        """Begin or continue the schedule; the weights of a checkpoint have been loaded."""
        self.attach(model)
        self.begin(state.global_step, _states_in(state).get(STATE))
        _states_in(state)[STATE] = self.scheduler.state_dict()
        self._s_of_update = self.scheduler.s

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any
    ) -> None:
        """Make a step of the schedule; checkpoints are written after it."""
        self._s_of_update = self.scheduler.s
        self.scheduler.step()
        _states_in(state)[STATE] = self.scheduler.state_dict()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **others: Any,
    ) -> None:
        """Add s of the latest update to the loss that is logged."""
        if logs is not None and "loss" in logs:
            logs["s"] = state.log_history[-1]["s"] = self._s_of_update


def _states_in(state: TrainerState) -> dict[str, Any]:
    """The states of callbacks by their names, annotated as a list of callbacks."""
    return cast(dict[str, Any], state.stateful_callbacks)
