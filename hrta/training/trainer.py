"""Homotopy relaxation training: `hrta.train`, for every objective."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hrta.schedules import Plateau, Schedule
from hrta.training.loop import Loop, Monitoring, Observer, Training
from hrta.training.objectives.objective import Objective
from hrta.training.task import Progress, Task

# The module and class of the objective for each type of networks or problem. Imported by name, so
# that a result depends only on the source files of its own objective.
OF_NETWORKS = {
    "TwoLayer": ("hrta.training.objectives.two_layer", "TwoLayerRegression"),
    "AdaptiveNetworks": ("hrta.training.objectives.adaptive", "AdaptiveSlopes"),
}
OF_PROBLEMS = {"PoissonProblem": ("hrta.training.objectives.deep_ritz", "DeepRitz")}
OF_MODULES = ("hrta.training.objectives.modules", "ModuleFit")


def train(
    problem: Any,
    networks: Any,
    schedule: Schedule | Sequence[Schedule],
    optimizer: str = "adam",
    learning_rate: float | Sequence[float] = 1e-3,
    momentum: float = 0.9,
    log_every: int = 1,
    *,
    decay: float = 1.0,
    reset_optimizer: bool = False,
    preserve_function: bool = False,
    fixed_outer: bool = False,
    batch_size: int | None = None,
    batch_seeds: Sequence[int] | None = None,
    engine: str = "auto",
    plateau: Plateau | None = None,
    objective: Objective | None = None,
    observe: Observer | None = None,
    observe_at: Sequence[int] = (),
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
) -> Training:
    """Homotopy relaxation training of R networks.

    Update t + 1 of T has the learning rate eta decay^(t/T). In the history the row of step t is
    measured after t updates with the s of update t + 1, so at a switch it is the loss after the
    jump; the last row is the final loss, with the s of the last stage.

    The types of problem and networks determine the objective:

        Problem, TwoLayer                   `TwoLayerRegression`
        PoissonProblem, TwoLayer            `DeepRitz`
        Problem, AdaptiveNetworks           `AdaptiveSlopes`
        Problem, a sequence of nn.Module    `ModuleFit`

    Not every objective accepts every argument; see there. The first training with a compiled engine
    compiles it, some ten seconds that are announced at level INFO of the logger "hrta".

    Args:
        problem: the problem to fit or solve, cast to the dtype and device of the networks.
        networks: the initial networks; they are not changed.
        schedule: one for all runs or one for each, all with the same number of steps.
        optimizer: gradient_descent, heavy_ball, nesterov or adam.
        learning_rate: eta at the first step, one for all runs or one for each.
        momentum: beta of heavy_ball and nesterov; the other optimizers ignore it.
        log_every: steps between rows of the history; the last step always has a row.
        decay: final over initial learning rate, in (0, 1].
        reset_optimizer: reset the optimizer at every switch, instead of keeping its state.
        preserve_function: at a switch rescale the outer weights and add the change of the linear
            part to a fixed skip term, so that the function and the loss do not change:
            `TwoLayer.preserving`. An extension of this replication.
        fixed_outer: train the inner weights only, as in arXiv 2208.03941.
        batch_size: number of points in a minibatch (stochastic gradient descent); by default all
            points.
        batch_seeds: seeds of the random order of the points in each run, [R]; by default
            0 .. R - 1.
        engine: auto, torch, numba or triton; not every objective has all of them.
        plateau: rule that ends a stage early when the loss of the logged rows stops falling. The
            remaining steps are added to the last stage, so the total number does not change.
        objective: the objective to minimise, to set its options (the points of `DeepRitz`, the
            recovery of `AdaptiveSlopes`) or to use a new one.
        observe: function that is called with the step and a copy of all networks after that many
            updates.
        observe_at: the steps at which it is called, in [0, T].
        progress: function that is called regularly with the number of finished steps and T.
        checkpoint: a file *.npz in which the state is saved regularly, and from which training
            resumes if the file exists. It is not removed at the end.

    Returns:
        History, trained networks and diverged runs. On a CPU the results of a run do not depend,
        bit for bit, on the other runs of the ensemble (`ModuleFit`: up to rounding) or on the
        number of threads of torch.

    Raises:
        ValueError: an argument is out of range or not accepted by the objective; problem, networks
            and schedules do not fit together; the checkpoint is incomplete or belongs to another
            training.

    Source: arXiv 2309.15244, abstract; decay is assumed.
    """
    monitoring = Monitoring(observe, observe_at, progress, checkpoint)
    if objective is None:
        objective = choose_objective(problem, networks)
    elif not isinstance(objective, Objective):
        raise ValueError(
            f"train: objective must be an hrta.training.Objective; it is {objective!r}"
        )
    objective.check_types(problem, networks)
    task = Task(
        problem=problem,
        networks=networks,
        schedules=objective.schedules(schedule, networks),
        optimizer=optimizer,
        learning_rate=learning_rate,
        momentum=momentum,
        log_every=log_every,
        decay=decay,
        reset_optimizer=reset_optimizer,
        preserve_function=preserve_function,
        fixed_outer=fixed_outer,
        batch_size=batch_size,
        batch_seeds=batch_seeds,
        engine=engine,
        plateau=plateau,
    )
    monitoring.check(task.steps)
    objective.check(task)
    return Loop(objective, task, monitoring).run()


def choose_objective(problem: Any, networks: Any) -> Objective:
    """The objective for problem and networks of these types, with default options."""
    of_networks = OF_NETWORKS.get(type(networks).__name__, OF_MODULES)
    module, name = OF_PROBLEMS.get(type(problem).__name__, of_networks)
    return getattr(importlib.import_module(module), name)()
