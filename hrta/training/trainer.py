"""Homotopy relaxation training: `hrta.train`, for every objective."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hrta.schedules import Plateau, Schedule
from hrta.training.loop import Loop, Observer, Progress, Training, Watching
from hrta.training.objectives.objective import Objective
from hrta.training.task import Task

# Where the objective for networks, or else for a problem, of each type is. Loaded by name, so that
# the source files of a result are those of its own objective.
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
    measured after t updates under the stage that makes update t + 1, so at a switch it is the loss
    after the jump; the last row is the final loss, under the last stage.

    What is minimised follows from the types of problem and networks:

        Problem, TwoLayer                   `TwoLayerRegression`
        PoissonProblem, TwoLayer            `DeepRitz`
        Problem, AdaptiveNetworks           `AdaptiveSlopes`
        Problem, a sequence of nn.Module    `ModuleFit`

    Each says which of the arguments it accepts.

    Args:
        problem: what is fitted or solved, cast to the dtype and device of the networks.
        networks: where training starts; left untouched.
        schedule: one for all runs or one for each, all of the same number of steps.
        optimizer: gradient_descent, heavy_ball, nesterov or adam.
        learning_rate: eta at the first step, one for all runs or one for each.
        momentum: beta of heavy_ball and nesterov; the others have none.
        log_every: steps between rows of the history; the last step is always there.
        decay: final over initial learning rate, in (0, 1].
        reset_optimizer: start every stage with a fresh optimizer instead of the last one's state.
        preserve_function: at a switch rescale the outer weights and carry what changes of the
            linear part into a fixed skip term, so that the function, and with it the loss, stays as
            it was: `TwoLayer.preserving`. Ours.
        fixed_outer: train the inner weights alone, as in arXiv 2208.03941.
        batch_size: points that an update sees, another part of them each time (stochastic gradient
            descent); all of them if not given.
        batch_seeds: of the order in which each run sees the points, [R]; 0 .. R - 1 by default.
        engine: auto, torch, numba or triton, as far as the objective has them.
        plateau: ends a stage before its steps are up when the loss of the logged rows falls no
            further. The last stage gets the steps that are left, so their number stays.
        objective: what is minimised, if it has options (the points of `DeepRitz`, the recovery of
            `AdaptiveSlopes`), or one of your own.
        observe: called with the step and all networks as they are after that many updates, a copy.
        observe_at: at which steps, in [0, T].
        progress: called from time to time with the steps done and the number of steps.
        checkpoint: a file *.npz in which the state is saved from time to time, and from which
            training resumes if it exists. It stays behind: remove it once the result is safe.

    Returns:
        History, trained networks and diverged runs. On a CPU a run's numbers are the same, bit by
        bit, whatever other runs share the ensemble (`ModuleFit`: up to rounding) and however many
        threads torch has.

    Raises:
        ValueError: an argument outside its range or that the objective does not accept, a problem,
            networks and schedules that do not fit together, or a checkpoint that is not whole or of
            another training.

    Source: arXiv 2309.15244, abstract; decay is assumed.
    """
    watching = Watching(observe, observe_at, progress, checkpoint)
    objective = objective or choose_objective(problem, networks)
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
    watching.check(task.steps)
    objective.check(task)
    return Loop(objective, task, watching).run()


def choose_objective(problem: Any, networks: Any) -> Objective:
    """The objective for a problem and networks of these types, with its default options."""
    of_networks = OF_NETWORKS.get(type(networks).__name__, OF_MODULES)
    module, name = OF_PROBLEMS.get(type(problem).__name__, of_networks)
    return getattr(importlib.import_module(module), name)()
