"""The callback for Lightning, without the base class, which each of its two packages has."""

from typing import Any

from torch import Tensor

from hrta.integrations.callback import SchedulerCallback


class LightningHooks(SchedulerCallback):
    """Sets s in the LightningModule that is trained, update by update.

    A step of the schedule is an update of the weights: with gradients that are accumulated over
    several batches it is one for all of them. With several optimizers it is a batch in which any of
    them has made an update. s is logged as "s" where there is a logger. A checkpoint of the trainer
    has the state of the scheduler, and `fit(ckpt_path=...)` continues from it. In a distributed
    training the loss of a plateau rule is the mean over the processes.

    Args:
        schedule: an `hrta.Schedule`, several stages, or a function s(step); see
            `hrta.HomotopyScheduler`.
        plateau: the rule that ends a stage early; None for no such rule.

    Raises:
        ValueError: what `hrta.HomotopyScheduler` refuses, when training begins also a model without
            homotopy activations; with a plateau rule, a training_step that returns no loss.
    """

    _state: dict[str, Any] | None = None
    _global_step = 0
    _loss: Tensor | float = 0.0

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Keep the state of an earlier fit, and nothing that an evaluation has loaded."""
        if stage == "fit":
            self._state = self._scheduler.state_dict() if self._scheduler else None

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Make the scheduler."""
        self.attach(pl_module)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin or continue the schedule; all of a checkpoint has been loaded."""
        self.begin(trainer.global_step, self._state)
        self._state, self._global_step, self._loss = None, trainer.global_step, 0.0

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Make a step of the schedule if the batch has completed an update."""
        if self.plateau is not None:
            self._loss = self._loss + _loss_of(outputs)
        if trainer.global_step == self._global_step:
            return
        if trainer.loggers:
            pl_module.log("s", self.scheduler.s)
        if self.plateau is not None:
            self._loss = trainer.strategy.reduce(self._loss, reduce_op="mean")
        self.scheduler.step(self._loss)
        self._global_step, self._loss = trainer.global_step, 0.0

    def state_dict(self) -> dict[str, Any]:
        """The state of the scheduler, or the one that was loaded and is not used yet."""
        if self._state is not None:
            return self._state
        return self._scheduler.state_dict() if self._scheduler else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the state until training begins; the scheduler may not be made yet."""
        self._state = state_dict


def _loss_of(outputs: Any) -> Tensor:
    """The loss that training_step returned; raises a ValueError if it returned none.

    With gradients that are accumulated over several batches Lightning divides it by their number,
    so that the sum is their mean; in manual optimization it is their sum.
    """
    if not (isinstance(outputs, dict) and isinstance(outputs.get("loss"), Tensor)):
        raise ValueError(
            "HomotopyCallback: with a plateau rule, training_step must return the loss, or a dict "
            'with "loss"'
        )
    return outputs["loss"].detach()
