"""Training of any module with homotopy activations: copies of it, in lock-step."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from hrta.drop_in import HomotopyScheduler
from hrta.problems.problem import Problem
from hrta.runtime.processes import one_cpu_thread
from hrta.schedules import Schedule
from hrta.training.arguments import one_rate_per_run
from hrta.training.objectives.modules import ModuleEnsemble, homotopy_activations
from hrta.training.optimizers import Adam

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class ModuleTraining:
    """What `train` returns.

    Attributes:
        history: tidy table of run, step, stage, s (both of the last activation), loss and, with a
            test set, test_loss and, for classes, test_error.
        models: the models after the last step, under the last stage.
        diverged: for each run whose loss turned non-finite, the step at which it did; its weights
            were not changed from then on, and in the history its losses are infinite, its error 1.
    """

    history: pd.DataFrame
    models: list[nn.Module]
    diverged: dict[int, int]


def train(
    problem: Problem,
    models: Sequence[nn.Module],
    schedule: Schedule | Sequence[Schedule],
    learning_rate: float | Sequence[float] = 1e-3,
    log_every: int = 1,
    *,
    decay: float = 1.0,
    progress: Progress | None = None,
) -> ModuleTraining:
    """Homotopy relaxation training of R models of one form under Adam, on the full batch.

    Minimises 1/(2n) sum_i (f(x_i) - y_i)^2 or, for classes, the mean cross-entropy of
    softmax f(x_i), over all parameters that require a gradient. Update t + 1 of T has the learning
    rate eta decay^(t/T). In the history the row of step t is the loss after t updates, under the
    stages that make update t + 1; the last row is under the last stages. The test error is the
    share of the test points whose largest output is not that of their class.

    Args:
        problem: the points, cast to the dtype and device of the models.
        models: one for each run, with weights of its own; left untouched. They take points [n, d]
            and give [n] or [n, 1], or [n, classes]. Nothing in them may be random (dropout) or
            change with what they see (batch normalisation).
        schedule: one for all homotopy activations of a model or one for each, in the order of
            `modules()`, all of the same number of steps.
        learning_rate: eta at the first step, one for all runs or one for each.
        log_every: steps between rows of the history; the last step is always there.
        decay: final over initial learning rate, in (0, 1].
        progress: called from time to time with the steps done and their number.

    Returns:
        History, trained models and diverged runs. On a CPU the same call gives the same numbers,
        bit by bit; among other runs a run's numbers are the same up to rounding, which training
        may enlarge.

    Raises:
        ValueError: an argument outside its range, models that are not alike or have no homotopy
            activation, or shapes that do not fit together.

    Source: arXiv 2309.15244, abstract; loss and decay as in `hrta.train`.
    """
    models = list(models)
    _check_models(models)
    _check_outputs(problem, models[0])
    _check_numbers(log_every, decay)
    schedules = _one_schedule_per_activation(schedule, models[0])
    rates = torch.as_tensor(one_rate_per_run(learning_rate, len(models)))
    steps = schedules[0].steps
    logged, rows = [], []
    with torch.no_grad(), one_cpu_thread():
        running = _Running(ModuleEnsemble(problem, models), schedules, rates)
        for step in range(steps + 1):
            losses = running.differentiate(step)
            if step % log_every == 0 or step == steps:
                logged.append({"step": step} | running.stage())
                rows.append(running.row(losses))
            if progress is not None and step % max(1, steps // 20) == 0:
                progress(step, steps)
            if step < steps:
                running.update(decay ** (step / steps))
        trained = running.ensemble.models(models)
    diverged = {run: step for run, step in enumerate(running.diverged.tolist()) if step >= 0}
    return ModuleTraining(_history(logged, np.stack(rows, axis=-1)), trained, diverged)


class _Running:
    """An ensemble in training, and which of its runs are still well.

    Attributes:
        ensemble: as it is now.
        diverged: the step at which each run's loss turned non-finite, -1 for none, [R].
    """

    def __init__(self, ensemble: ModuleEnsemble, schedules: list[Schedule], rates: Tensor) -> None:
        self.ensemble = ensemble
        activations = homotopy_activations(ensemble.model).values()
        self._schedulers = list(map(HomotopyScheduler, activations, schedules))
        self._gradient = torch.zeros_like(ensemble.parameters)
        self._optimizer = Adam(momentum=0)
        self._rates = rates.to(self._gradient.device)
        self.diverged = torch.full_like(self._rates, -1, dtype=torch.int64)

    def stage(self) -> dict[str, float]:
        """Number and s of the stage that the last activation is in."""
        return {"stage": self._schedulers[-1].stage, "s": self._schedulers[-1].s}

    def differentiate(self, step: int) -> Tensor:
        """The loss of each run, [R]; the gradient is kept for `update`."""
        losses = self.ensemble.value_and_gradient(self._gradient)
        self.diverged.masked_fill_((self.diverged < 0) & ~losses.isfinite(), step)
        return losses

    def row(self, losses: Tensor) -> np.ndarray:
        """Loss and, with test points, test loss and, for classes, test error, [1 to 3, R]."""
        row = torch.stack([losses, *self.ensemble.test_measures()]).double().cpu()
        worst = row.new_tensor([torch.inf, torch.inf, 1])[: len(row), None]
        return torch.where(self.diverged.cpu() < 0, row, worst).numpy()

    def update(self, factor: float) -> None:
        """Adam's update with that part of the learning rates, and on to the next step."""
        rates = (self._rates * factor).to(self._gradient.dtype)
        update = self._optimizer.update(self._gradient, rates[:, None])
        self.ensemble.parameters += update.masked_fill_(self.diverged[:, None] >= 0, 0)
        for scheduler in self._schedulers:
            scheduler.step()


def _history(logged: list[dict[str, float]], rows: np.ndarray) -> pd.DataFrame:
    """The tidy table of losses [1 to 3, R, rows]."""
    measures, runs, _ = rows.shape
    table = pd.DataFrame(logged * runs)
    table.insert(0, "run", np.repeat(np.arange(runs), len(logged)))
    names = ("loss", "test_loss", "test_error")[:measures]
    return table.assign(**{name: each.ravel() for name, each in zip(names, rows, strict=True)})


def _check_models(models: list[nn.Module]) -> None:
    """At least one, all of the same form, with something to train."""
    if not models:
        raise ValueError("module_training: at least one model is needed")
    forms = [_form(model) for model in models]
    others = [run for run, form in enumerate(forms) if form != forms[0]]
    if others:
        raise ValueError(
            f"module_training: model {others[0]} is not like model 0; they may differ in their "
            "numbers alone"
        )
    trained = {(p.dtype, p.device) for p in models[0].parameters() if p.requires_grad}
    if len(trained) != 1 or not next(iter(trained))[0].is_floating_point:
        raise ValueError(
            "module_training: the model needs parameters to train, of one floating dtype and device"
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
                f"module_training: the model takes no points of {problem.inputs} inputs ({why})"
            ) from None
    fitting = [(points, problem.classes)] if problem.classes else [(points,), (points, 1)]
    if outputs.shape not in fitting:
        raise ValueError(
            f"module_training: for {points} points of problem {problem.name} the model must give "
            f"{' or '.join(str(list(shape)) for shape in fitting)}; it gives {list(outputs.shape)}"
        )
    before, after = [outputs, *model.state_dict().values()], [again, *twin.state_dict().values()]
    same = [torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(before, after, strict=True)]
    if not all(same):
        raise ValueError(
            "module_training: the model is random or changes with what it sees; eval() may help"
        )


def _check_numbers(log_every: int, decay: float) -> None:
    if log_every < 1 or log_every != int(log_every):
        raise ValueError(f"module_training: log_every = {log_every} is no whole number from 1 on")
    if not 0 < decay <= 1:
        raise ValueError(f"module_training: decay = {decay:g} is outside (0, 1]")


def _one_schedule_per_activation(
    schedule: Schedule | Sequence[Schedule], model: nn.Module
) -> list[Schedule]:
    """The schedule of each homotopy activation, all of the same number of steps."""
    count = len(homotopy_activations(model))
    if not count:
        raise ValueError(
            "module_training: the model has no HomotopyActivation; put some in, or use hrta.convert"
        )
    schedules = [schedule] * count if isinstance(schedule, Schedule) else list(schedule)
    if not all(isinstance(each, Schedule) for each in schedules):
        raise ValueError("module_training: schedule must be a hrta.Schedule, or several")
    if len(schedules) != count:
        raise ValueError(
            f"module_training: {len(schedules)} schedules for {count} homotopy activations"
        )
    lengths = sorted({each.steps for each in schedules})
    if len(lengths) > 1:
        raise ValueError(
            f"module_training: all schedules need the same number of steps; got {lengths}"
        )
    return schedules
