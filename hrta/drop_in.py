"""HRTA in any PyTorch model: replace its activations, change s during training."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hrta.activations import HomotopyActivation
from hrta.schedules import Plateau, PlateauTracker, Schedule, Stage

# The activation modules that can be replaced, and the name of each as a base.
CLASSES: dict[type[nn.Module], str] = {
    nn.ReLU: "relu",
    nn.Tanh: "tanh",
    nn.GELU: "gelu",
    nn.SiLU: "silu",
    nn.Softplus: "softplus",
}
# The functions that torch's transformer layers may have as their activation instead.
FUNCTIONS: dict[type[nn.Module], tuple[Callable[..., Tensor], ...]] = {
    nn.ReLU: (functional.relu, torch.relu),
    nn.Tanh: (torch.tanh, functional.tanh),
    nn.GELU: (functional.gelu,),
    nn.SiLU: (functional.silu,),
    nn.Softplus: (functional.softplus,),
}
TRANSFORMER_LAYERS = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
# The settings that these modules must have.
DEFAULTS = {nn.GELU: {"approximate": "none"}, nn.Softplus: {"beta": 1, "threshold": 20}}


def convert(model: nn.Module, base: type[nn.Module] = nn.ReLU, s: float = 1.0) -> nn.Module:
    """Replace every activation of a class by a `HomotopyActivation`, in place.

    With s = 1 the model computes the same function as before. A module that is used in several
    places is replaced by one module. s is on the device of the weights if all are on one device.
    In torch's transformer layers, activations that are functions are replaced, too. For evaluation
    torch has a fused version of an encoder layer, which computes ReLU or GELU whatever its
    activation is; converted layers do not use it.

    Args:
        model: any module.
        base: the class to replace, a key of `CLASSES`.
        s: the initial homotopy parameter, in [0, 2].

    Returns:
        The model, or its replacement if the model itself is such an activation.

    Raises:
        ValueError: model is not a module, base is not a key of `CLASSES`, the model has no such
            activation (calls of functions such as torch.relu are not found), an activation has
            settings other than the default, a recurrent layer has this activation inside, a
            decoder layer does not use it, or s is outside [0, 2].
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"convert: model must be a torch.nn.Module; it is {model!r}")
    if not isinstance(base, type) or base not in CLASSES:
        names = ", ".join(f"nn.{known.__name__}" for known in CLASSES)
        raise ValueError(f"convert: base must be one of {names}; it is {base!r}")
    _check_recurrent(model, base)
    _check_decoders(model, base)
    replaced: dict[nn.Module, HomotopyActivation] = {}
    devices = {weight.device for weight in model.parameters()}

    def replacement(module: nn.Module) -> HomotopyActivation:
        if module not in replaced:
            for name, value in DEFAULTS.get(base, {}).items():
                if (given := getattr(module, name)) != value:
                    raise ValueError(
                        f"convert: {module}: {name} must be {value!r}; it is {given!r}"
                    )
            activation = HomotopyActivation(s, CLASSES[base]).train(module.training)
            replaced[module] = activation.to(*devices) if len(devices) == 1 else activation
        return replaced[module]

    if type(model) is base:
        return replacement(model)
    # named_children would list a shared module only once.
    found = [
        (parent, name, replacement(child))
        for parent in model.modules()
        for name, child in parent._modules.items()
        if type(child) is base
    ]
    found += [
        (layer, "activation", replacement(base()))
        for layer in model.modules()
        if isinstance(layer, TRANSFORMER_LAYERS) and layer.activation in FUNCTIONS[base]
    ]
    for parent, name, activation in found:
        setattr(parent, name, activation)
        if isinstance(parent, nn.TransformerEncoderLayer):
            parent.activation_relu_or_gelu = 0
        if isinstance(parent, nn.TransformerDecoderLayer):
            # A copy of a decoder layer without this entry gets ReLU.
            vars(parent)["activation"] = activation
    _leave_fused_layers(model)
    if not found:
        raise ValueError(
            f"convert: the model must contain an nn.{base.__name__} module; it has none (function "
            "calls are not found)"
        )
    return model


def _check_recurrent(model: nn.Module, base: type[nn.Module]) -> None:
    """Raise a ValueError if a recurrent layer has the activation, which torch computes itself."""
    for name, layer in model.named_modules():
        nonlinearity = getattr(layer, "nonlinearity", None)
        if isinstance(layer, nn.RNN | nn.RNNCell) and nonlinearity == CLASSES[base]:
            raise ValueError(
                f"convert: {type(layer).__name__}{f' {name}' if name else ''} cannot be converted: "
                f"torch computes its nonlinearity {nonlinearity!r} together with its products"
            )


def _check_decoders(model: nn.Module, base: type[nn.Module]) -> None:
    """Raise a ValueError if a decoder layer has an activation module that it does not use.

    Torch gives a copy of a layer, and so each layer of a decoder, ReLU instead of a module.
    """
    for name, layer in model.named_modules():
        if isinstance(layer, nn.TransformerDecoderLayer):
            used, module = layer.activation, layer._modules.get("activation")
            if type(module) is base and used is not module and used not in FUNCTIONS[base]:
                raise ValueError(
                    f"convert: {name or 'the layer'} computes {used.__name__}, not its "
                    f"nn.{base.__name__}: torch loses the activation module of a decoder layer "
                    "that is copied; give the activation as a function"
                )


def _leave_fused_layers(model: nn.Module) -> None:
    """Let encoders with a converted layer evaluate their layers one by one, on padded sequences."""
    for encoder in model.modules():
        if isinstance(encoder, nn.TransformerEncoder):
            activations = (getattr(layer, "activation", None) for layer in encoder.layers)
            if any(isinstance(each, HomotopyActivation) for each in activations):
                encoder.use_nested_tensor = False


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
