"""Regression and classification by an ensemble of any module with homotopy activations."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from hrta.networks.perceptron import Perceptron
from hrta.problems.problem import Problem
from hrta.runtime.arrays import digest
from hrta.schedules import Schedule
from hrta.training.engines.engine import Engine
from hrta.training.engines.state import as_array
from hrta.training.engines.torch_engine import TorchEngine
from hrta.training.objectives.objective import Objective, decay_factors_one_by_one
from hrta.training.objectives.packed_models import PackedModels, homotopy_activations
from hrta.training.objectives.perceptron_ensemble import PerceptronEnsemble, is_plain_perceptron
from hrta.training.task import Task, one_schedule_each


@dataclass(frozen=True)
class LayerSchedules:
    """A schedule for each homotopy activation of a model; `stage_at` refers to the last."""

    of_layers: tuple[Schedule, ...]

    @property
    def steps(self) -> int:
        """Total number of updates."""
        return self.of_layers[0].steps

    @property
    def switches(self) -> tuple[int, ...]:
        """The steps at which any activation begins another stage."""
        return tuple(sorted({switch for each in self.of_layers for switch in each.switches}))

    def stage_at(self, step: int) -> int:
        """The stage of the last activation."""
        return self.of_layers[-1].stage_at(step)

    def s_at(self, step: int) -> tuple[float, ...]:
        """The homotopy parameter of each activation at update `step` + 1."""
        return tuple(each.s_at(step) for each in self.of_layers)


@dataclass(frozen=True)
class ModuleFit(Objective):
    """1/(2n) sum_i (f(x_i) - y_i)^2 or, for classes, the mean cross-entropy of softmax f(x_i).

    All parameters that require a gradient are trained. The networks are models that differ only in
    the values of parameters and buffers, one for each run. They map points [n, d] to [n] or [n, 1],
    or for classes to [n, classes]. They must be deterministic (no dropout) and must not change in a
    forward pass (no batch normalisation). The schedule is one for all homotopy activations of a
    model or one for each, in the order of `modules()`; stage and s in the history are those of the
    last. With test points the history has test_loss and, for classes, test_error, the fraction of
    misclassified test points. The gradient of perceptrons is computed in closed form, that of other
    models by automatic differentiation. Engine: torch.

    On a CPU equal calls give equal results, bit for bit. The results of a run depend on the other
    runs of the ensemble by rounding, which training may amplify. So shared prefixes are not used.

    Source: arXiv 2309.15244, abstract; the loss as in `TwoLayerRegression`.
    """

    name = "modules"
    problem_type, networks_type = Problem, Sequence
    accepts = frozenset({"optimizer", "reset_optimizer"})
    shares_prefixes, fits_classes = False, True

    def check_types(self, problem: Any, networks: Any) -> None:
        super().check_types(problem, networks)
        for each in networks:
            if not isinstance(each, nn.Module):
                raise ValueError(
                    "train: networks must be an hrta.TwoLayer or a list of nn.Module; one of the "
                    f"list is a {type(each).__name__}"
                )

    def schedules(
        self, schedule: Schedule | Sequence[Schedule], networks: Sequence[nn.Module]
    ) -> Sequence[LayerSchedules]:
        _check_models(networks)
        count = len(homotopy_activations(networks[0]))
        if not count:
            raise ValueError(
                "train: the model must contain a HomotopyActivation; it has none (see hrta.convert)"
            )
        of_layers = one_schedule_each(schedule, count, "homotopy activations")
        return [LayerSchedules(tuple(of_layers))] * len(networks)

    def check(self, task: Task) -> None:
        super().check(task)
        _check_outputs(task.problem, task.networks[0])

    def make_engine(self, task: Task) -> Engine:
        function = _ensemble(task.problem, list(task.networks))
        return TorchEngine(task, function, function.parameters)

    def identity(self, task: Task) -> dict[str, object]:
        values = [as_array(value) for each in task.networks for value in each.state_dict().values()]
        model = task.networks[0]
        return {
            "data": task.problem.digest,
            "model": str(model),
            "values": digest(*values),
            "trained": [name for name, each in model.named_parameters() if each.requires_grad],
        }

    def decay_factors(self, task: Task) -> np.ndarray:
        return decay_factors_one_by_one(task)


def _ensemble(problem: Problem, models: list[nn.Module]) -> PackedModels:
    if is_plain_perceptron(models[0]):
        # The others have the same structure.
        return PerceptronEnsemble(problem, cast(list[Perceptron], models))
    # Imported here because the tracer of torch takes more than a second.
    from hrta.training.objectives.module_ensemble import ModuleEnsemble

    return ModuleEnsemble(problem, models)


def _check_models(models: Sequence[nn.Module]) -> None:
    """Raise a ValueError unless there are models that can be trained as an ensemble."""
    if not len(models):
        raise ValueError("train: networks must have at least one model")
    structures = [_structure(model) for model in models]
    others = [run for run, each in enumerate(structures) if each != structures[0]]
    if others:
        raise ValueError(
            f"train: models must differ only in the values of parameters and buffers; model "
            f"{others[0]} has another structure than model 0"
        )
    trained = {(p.dtype, p.device) for p in models[0].parameters() if p.requires_grad}
    if len(trained) != 1 or not next(iter(trained))[0].is_floating_point:
        raise ValueError(
            "train: the model must have trainable parameters, of one floating dtype and device"
        )


def _structure(model: nn.Module) -> list[tuple]:
    """The structure that all models of an ensemble must have in common."""
    modules = [(name, type(module), module.training) for name, module in model.named_modules()]
    bases = [(name, each.base) for name, each in homotopy_activations(model).items()]
    trained = [(name, each.requires_grad) for name, each in model.named_parameters()]
    tensors = model.state_dict().items()
    return modules + bases + trained + [(name, t.shape, t.dtype, t.device) for name, t in tensors]


def _check_outputs(problem: Problem, model: nn.Module) -> None:
    """Raise a ValueError unless the model is deterministic with an output of the right shape."""
    points, twin = len(problem.y), copy.deepcopy(model)
    x = torch.as_tensor(problem.x).to(next(p for p in model.parameters() if p.requires_grad))
    with torch.no_grad():
        try:
            outputs, again = twin(x), twin(x)
        except RuntimeError as error:
            why = str(error).partition("\n")[0]
            raise ValueError(
                f"train: the model must accept points [n, {problem.inputs}]; it raises: {why}"
            ) from None
    fitting = [(points, problem.classes)] if problem.classes else [(points,), (points, 1)]
    if outputs.shape not in fitting:
        raise ValueError(
            f"train: for {points} points of problem {problem.name} the shape of the output must be "
            f"{' or '.join(str(list(shape)) for shape in fitting)}; it is {list(outputs.shape)}"
        )
    before, after = [outputs, *model.state_dict().values()], [again, *twin.state_dict().values()]
    same = [torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(before, after, strict=True)]
    if not all(same):
        raise ValueError(
            "train: the model must be deterministic and must not change in a forward pass; eval() "
            "may help"
        )
