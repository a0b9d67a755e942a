"""HRTA in any PyTorch model: swap its activations, change s while it trains."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor, nn

from hrta.activations import HomotopyActivation
from hrta.schedules import Plateau, Schedule, Stage, Watch

# The activation modules that can be swapped, with the name of each as a base.
CLASSES: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.Tanh: "tanh",
    nn.GELU: "gelu",
    nn.SiLU: "silu",
    nn.Softplus: "softplus",
}
# The settings that such a module must have.
DEFAULTS = {nn.GELU: {"approximate": "none"}, nn.Softplus: {"beta": 1, "threshold": 20}}


def convert(model: nn.Module, base: type[nn.Module] = nn.ReLU, s: float = 1.0) -> nn.Module:
    """Swap every activation of a class for a `HomotopyActivation`, in place.

    With s = 1 the model computes what it did before. A module that is used in several places is
    replaced by one module. s is put on the device of the weights, if they share one.

    Args:
        model: any module.
        base: the class to look for, a key of `CLASSES`.
        s: the initial homotopy parameter, in [0, 2].

    Returns:
        The model; if it is itself an activation, its replacement.

    Raises:
        ValueError: not a module, a class that cannot be swapped, a model without such an activation
            (calls of functions such as torch.relu are not found), an activation with other than
            the default settings, or s outside [0, 2].
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"convert: {model!r} is not a torch.nn.Module")
    if not isinstance(base, type) or base not in CLASSES:
        names = ", ".join(f"nn.{known.__name__}" for known in CLASSES)
        raise ValueError(f"convert: {base!r} cannot be swapped; there are {names}")
    swapped: dict[nn.Module, HomotopyActivation] = {}
    devices = {weight.device for weight in model.parameters()}

    def replacement(module: nn.Module) -> HomotopyActivation:
        if module not in swapped:
            for name, value in DEFAULTS.get(base, {}).items():
                if getattr(module, name) != value:
                    raise ValueError(
                        f"convert: {module} has {name} = {getattr(module, name)}; only {value} "
                        "has a homotopy here"
                    )
            activation = HomotopyActivation(s, CLASSES[base]).train(module.training)
            swapped[module] = activation.to(*devices) if len(devices) == 1 else activation
        return swapped[module]

    if type(model) is base:
        return replacement(model)
    # Not named_children, which lists a shared module only once.
    found = [
        (parent, name, replacement(child))
        for parent in model.modules()
        for name, child in parent._modules.items()
        if type(child) is base
    ]
    for parent, name, activation in found:
        setattr(parent, name, activation)
    if not found:
        raise ValueError(
            f"convert: the model has no nn.{base.__name__} to swap; calls of functions are not seen"
        )
    return model


class HomotopyScheduler:
    """Sets s in a model stage by stage, as a learning-rate scheduler sets the learning rate.

    Every `HomotopyActivation` of the model has the s of the stage. Call `step` after each update of
    the weights: a stage ends after its steps, or, with a plateau rule, when its loss stops falling.
    The last stage does not end. Weights and optimizer are not changed.

    Args:
        model: with at least one `HomotopyActivation`; see `convert`.
        schedule: the stages.
        plateau: the rule by which a stage may end early, if any.

    Attributes:
        stage: number of the stage, from 1.
        s: its homotopy parameter.

    Raises:
        ValueError: no stage, a stage that is not a `Stage`, a plateau that is not a `Plateau`, or a
            model without a homotopy activation.
    """

    def __init__(
        self,
        model: nn.Module,
        schedule: Schedule | Iterable[Stage],
        plateau: Plateau | None = None,
    ) -> None:
        if not isinstance(schedule, Schedule | Iterable):
            raise ValueError(f"HomotopyScheduler: {schedule!r} is neither a Schedule nor stages")
        if not isinstance(plateau, Plateau | None):
            raise ValueError(f"HomotopyScheduler: {plateau!r} is not an hrta.Plateau")
        self.schedule = schedule if isinstance(schedule, Schedule) else Schedule(schedule)
        self.plateau = plateau
        self._activations = [m for m in model.modules() if isinstance(m, HomotopyActivation)]
        if not self._activations:
            raise ValueError(
                "HomotopyScheduler: the model has no HomotopyActivation; hrta.convert adds them"
            )
        self._enter(1)

    @property
    def s(self) -> float:
        """The homotopy parameter of the stage."""
        return self.schedule.stages[self.stage - 1].s

    def step(self, loss: float | Tensor | None = None) -> bool:
        """Count one update; returns whether the next stage begins.

        Args:
            loss: of this update; only a plateau rule uses it. NaN counts as no progress.

        Raises:
            ValueError: a plateau rule, and not exactly one loss.
        """
        flat = self.plateau is not None and self._watch.ends_with(one_loss(loss))
        self._steps += 1
        last = self.stage == len(self.schedule.stages)
        if last or not (flat or self._steps >= self.schedule.stages[self.stage - 1].steps):
            return False
        self._enter(self.stage + 1)
        return True

    def _enter(self, stage: int) -> None:
        self.stage, self._steps = stage, 0
        self._watch = Watch(self.plateau or Plateau())
        for activation in self._activations:
            activation.s = self.s

    def state_dict(self) -> dict[str, Any]:
        """Stage, steps in it, its lowest loss, and the number of losses without progress."""
        return {
            "stage": self.stage,
            "steps": self._steps,
            "lowest": self._watch.lowest,
            "waited": self._watch.waited,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from the state of a scheduler of the same schedule.

        Raises:
            ValueError: an incomplete state, or a stage that the schedule does not have.
        """
        if not isinstance(state, Mapping):
            raise ValueError(f"HomotopyScheduler: the state {state!r} is not a dict")
        missing = sorted(self.state_dict().keys() - state.keys())
        if missing:
            raise ValueError(f"HomotopyScheduler: the state has no {', '.join(missing)}")
        counts = [state["stage"], state["steps"], state["waited"]]
        sound = all(isinstance(count, int) and count >= 0 for count in counts)
        if not (sound and isinstance(state["lowest"], int | float)):
            raise ValueError(f"HomotopyScheduler: the state {dict(state)} is invalid")
        if not 1 <= state["stage"] <= len(self.schedule.stages):
            raise ValueError(
                f"HomotopyScheduler: the state is in stage {state['stage']}; the schedule has "
                f"{len(self.schedule.stages)}"
            )
        self._enter(state["stage"])
        self._steps = state["steps"]
        self._watch.lowest, self._watch.waited = state["lowest"], state["waited"]


def one_loss(loss: float | Tensor | None) -> float:
    """The loss as a number; a ValueError if it is not one."""
    if loss is None:
        raise ValueError("HomotopyScheduler: with a plateau rule step needs the loss")
    try:
        return float(loss.detach() if isinstance(loss, Tensor) else loss)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"HomotopyScheduler: the loss {loss} is not a number") from None
