"""Regression and classification by any module with homotopy activations: copies of it."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from hrta.problems.problem import Problem
from hrta.runtime.checkpoints import digest
from hrta.runtime.resumable import as_array
from hrta.schedules import Schedule
from hrta.training.engines.engine import Engine
from hrta.training.engines.torch_engine import TorchEngine
from hrta.training.objectives.module_ensemble import ModuleEnsemble, homotopy_activations
from hrta.training.objectives.objective import Objective, data_digest, decay_factors_one_by_one
from hrta.training.task import Task, one_schedule_each


@dataclass(frozen=True)
class LayerSchedules:
    """A schedule for each homotopy activation of a model, as one; its stage is the last one's."""

    of_layers: tuple[Schedule, ...]

    @property
    def steps(self) -> int:
        """Updates in all stages together."""
        return self.of_layers[0].steps

    @property
    def switches(self) -> tuple[int, ...]:
        """The steps at which any activation begins another stage."""
        return tuple(sorted({switch for each in self.of_layers for switch in each.switches}))

    def stage_at(self, step: int) -> int:
        """The stage of the last activation."""
        return self.of_layers[-1].stage_at(step)

    def s_at(self, step: int) -> tuple[float, ...]:
        """The homotopy parameter of each activation under which update `step` + 1 is made."""
        return tuple(each.s_at(step) for each in self.of_layers)


@dataclass(frozen=True)
class ModuleFit(Objective):
    """1/(2n) sum_i (f(x_i) - y_i)^2 or, for classes, the mean cross-entropy of softmax f(x_i).

    Over all parameters that require a gradient. The networks are models of one form, one for each
    run, with weights of its own. They take points [n, d] and give [n] or [n, 1], or [n, classes].
    Nothing in them may be random (dropout) or change with what they see (batch normalisation). The
    schedule is one for all homotopy activations of a model or one for each, in the order of
    `modules()`; stage and s in the history are those of the last. With test points the history has
    test_loss and, for classes, test_error: the share of them whose largest output is not that of
    their class. Engine: torch.

    On a CPU the same call gives the same numbers, bit by bit; among other runs a run's numbers are
    the same up to rounding, which training may enlarge. So no two runs are trained as one.

    Source: arXiv 2309.15244, abstract; the loss as in `TwoLayerRegression`.
    """

    name = "modules"
    problem_type, networks_type = Problem, Sequence
    accepts = frozenset({"optimizer", "reset_optimizer"})
    shares_prefixes, fits_classes = False, True

    def schedules(
        self, schedule: Schedule | Sequence[Schedule], networks: Sequence[nn.Module]
    ) -> Sequence[LayerSchedules]:
        _check_models(networks)
        count = len(homotopy_activations(networks[0]))
        if not count:
            raise ValueError(
                "train: the model has no HomotopyActivation; put some in, or use hrta.convert"
            )
        of_layers = one_schedule_each(schedule, count, "homotopy activations")
        return [LayerSchedules(tuple(of_layers))] * len(networks)

    def check(self, task: Task) -> None:
        super().check(task)
        _check_outputs(task.problem, task.networks[0])

    def make_engine(self, task: Task) -> Engine:
        function = ModuleEnsemble(task.problem, list(task.networks))
        return TorchEngine(task, function, function.parameters)

    def identity(self, task: Task) -> dict[str, object]:
        numbers = [as_array(n) for each in task.networks for n in each.state_dict().values()]
        model = task.networks[0]
        return {
            "data": data_digest(task.problem),
            "model": str(model),
            "numbers": digest(*numbers),
            "trained": [name for name, each in model.named_parameters() if each.requires_grad],
        }

    def decay_factors(self, task: Task) -> np.ndarray:
        return decay_factors_one_by_one(task)


def _check_models(models: Sequence[nn.Module]) -> None:
    """At least one, all of the same form, with something to train."""
    if not len(models):
        raise ValueError("train: at least one model is needed")
    forms = [_form(model) for model in models]
    others = [run for run, form in enumerate(forms) if form != forms[0]]
    if others:
        raise ValueError(
            f"train: model {others[0]} is not like model 0; they may differ in their numbers alone"
        )
    trained = {(p.dtype, p.device) for p in models[0].parameters() if p.requires_grad}
    if len(trained) != 1 or not next(iter(trained))[0].is_floating_point:
        raise ValueError(
            "train: the model needs parameters to train, of one floating dtype and device"
        )


def _form(model: nn.Module) -> list[tuple]:
    """All that models of an ensemble must have in common, as far as it can be seen."""
    modules = [(name, type(module), module.training) for name, module in model.named_modules()]
    bases = [(name, each.base) for name, each in homotopy_activations(model).items()]
    trained = [(name, each.requires_grad) for name, each in model.named_parameters()]
    numbers = model.state_dict().items()
    return modules + bases + trained + [(name, n.shape, n.dtype, n.device) for name, n in numbers]


def _check_outputs(problem: Problem, model: nn.Module) -> None:
    """Whether the model takes the problem's points and gives what is to be fitted, every time."""
    points, twin = len(problem.y), copy.deepcopy(model)
    x = torch.as_tensor(problem.x).to(next(p for p in model.parameters() if p.requires_grad))
    with torch.no_grad():
        try:
            outputs, again = twin(x), twin(x)
        except RuntimeError as error:
            why = str(error).partition("\n")[0]
            raise ValueError(
                f"train: the model takes no points of {problem.inputs} inputs ({why})"
            ) from None
    fitting = [(points, problem.classes)] if problem.classes else [(points,), (points, 1)]
    if outputs.shape not in fitting:
        raise ValueError(
            f"train: for {points} points of problem {problem.name} the model must give "
            f"{' or '.join(str(list(shape)) for shape in fitting)}; it gives {list(outputs.shape)}"
        )
    before, after = [outputs, *model.state_dict().values()], [again, *twin.state_dict().values()]
    same = [torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(before, after, strict=True)]
    if not all(same):
        raise ValueError("train: the model is random or changes with what it sees; eval() may help")
