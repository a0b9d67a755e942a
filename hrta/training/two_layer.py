"""The training loop: an ensemble of networks through the stages of a schedule, in lock-step."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem, check_numbers
from hrta.runtime.checkpoints import Checkpoint
from hrta.schedules import Schedule
from hrta.training.arguments import (
    Observer,
    as_points,
    check_observation,
    check_shapes_and_numbers,
    given_batches,
    identity,
    one_rate_per_run,
    one_schedule_per_run,
)
from hrta.training.engines import make_engine
from hrta.training.engines.engine import Setting
from hrta.training.optimizers import check_optimizer
from hrta.training.pieces import Progress, go_through, make_plan, of_all_runs


@dataclass(frozen=True, eq=False)
class Training:
    """What `train` returns.

    Attributes:
        history: tidy table of run, step, stage, s, loss and, with a test set, test_loss.
        networks: the networks after the last step.
        diverged: for each run whose loss turned non-finite, the step at which it did; its
            weights were not changed from then on, and its losses are infinite in the history.
        engine: the name of the engine that did it.
        skip: coefficients c [R, d + 1] float64 of the term c . (x, 1) that function-preserving
            switches have added to the networks' functions; 0 without them.
    """

    history: pd.DataFrame
    networks: TwoLayer
    diverged: dict[int, int]
    engine: str
    skip: np.ndarray


def train(
    problem: Problem,
    networks: TwoLayer,
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
    observe: Observer | None = None,
    observe_at: Sequence[int] = (),
    progress: Progress | None = None,
    checkpoint: str | Path | None = None,
) -> Training:
    """Homotopy relaxation training of R two-layer networks, on the full batch or in minibatches.

    Minimises R_s = 1/(2n) sum_i (phi_s(x_i) - y_i)^2 over both layers, with the s of the stage.
    Update t + 1 of T has the learning rate eta decay^(t/T). In the history the row of step t is
    the loss after t updates under the stage that makes update t + 1, so at a switch it is the loss
    after the jump; the last row is the final loss, under the last stage.

    Args:
        problem: the points, cast to the dtype and device of the networks.
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
            descent, for one); all of them if not given. Losses are those of all points.
        batch_seeds: of the order in which each run sees the points, [R]; 0 .. R - 1 by default.
        engine: auto, reference, cpu or cuda; see `hrta.training.engines.make_engine`.
        observe: called with the step and all networks as they are after that many updates, a copy.
        observe_at: at which steps, in [0, T].
        progress: called from time to time with the steps done and the number of steps.
        checkpoint: a file *.npz to keep the state in from time to time, and to go on from where it
            is there already; it stays behind, for whoever has the result safe to remove.

    Returns:
        History, trained networks and diverged runs. On a CPU a run's numbers are the same, bit by
        bit, whatever other runs share the ensemble and however many threads torch has.

    Raises:
        ValueError: an argument outside its range, shapes that do not fit together, or a checkpoint
            that is not whole or of another training.

    Source: arXiv 2309.15244, abstract; loss, scaling and decay are assumed.
    """
    schedules = one_schedule_per_run(schedule, networks.runs)
    check_optimizer(optimizer, momentum)
    check_numbers(problem, "train")
    check_shapes_and_numbers(problem, networks, schedules, log_every, decay)
    check_observation(observe, observe_at, schedules[0].steps, checkpoint)
    rates = one_rate_per_run(learning_rate, networks.runs)
    batches = given_batches(batch_size, batch_seeds, networks.runs, len(problem.y))
    plan = make_plan(networks, schedules, rates, batches, observe_at)
    steps, log_every = schedules[0].steps, int(log_every)
    own = {"optimizer": optimizer, "momentum": momentum, "decay": decay, "log_every": log_every}
    own |= {"reset_optimizer": reset_optimizer, "preserve_function": preserve_function}
    own |= {"fixed_outer": fixed_outer, "batch size": batch_size, "engine": engine}
    who = (networks, schedules, rates, batches and batches.seeds)
    keeper = checkpoint and Checkpoint(checkpoint, own | identity(problem, *who))
    kept = keeper.load() if keeper else {}
    start = plan.told_apart(int(kept.get("pieces", 0)))
    setting = Setting(
        points=as_points(problem.x, problem.y, networks),
        test=as_points(problem.x_test, problem.y_test, networks),
        optimizer=optimizer,
        momentum=momentum,
        learning_rate=rates[start],
        fixed_outer=fixed_outer,
        batches=batches and batches.branch(start),
        preserve_function=preserve_function,
    )
    running = make_engine(engine, TwoLayer(networks.inner[start], networks.outer[start]), setting)
    factors = decay ** (np.arange(steps) / steps)
    logged = np.arange(steps) % log_every == 0
    tell = {"observe": observe, "observe_at": set(observe_at), "progress": progress}
    restarts = schedules if reset_optimizer else []
    tell |= {"preserve_function": preserve_function, "checkpoint": keeper, "kept": kept}
    losses, test_losses = go_through(running, plan, factors, logged, restarts, **tell)
    history = _history(schedules, [*range(0, steps, log_every), steps], losses)
    if setting.test is not None:
        history["test_loss"] = test_losses.ravel()
    each = running.diverged[plan.same[-1]]
    diverged = {run: int(step) for run, step in enumerate(each) if step >= 0}
    networks, skip = of_all_runs(running, plan.same[-1]), running.skip[plan.same[-1]]
    return Training(history, networks, diverged, running.name, skip)


def _history(schedules: list[Schedule], steps: list[int], losses: np.ndarray) -> pd.DataFrame:
    """The tidy table of losses [R, steps]."""
    each = {schedule: [schedule.stage_at(t) for t in steps] for schedule in set(schedules)}
    s = {schedule: [schedule.s_at(t) for t in steps] for schedule in each}
    return pd.DataFrame(
        {
            "run": np.repeat(np.arange(len(schedules)), len(steps)),
            "step": np.tile(steps, len(schedules)),
            "stage": np.concatenate([each[schedule] for schedule in schedules]),
            "s": np.concatenate([s[schedule] for schedule in schedules]),
            "loss": losses.ravel(),
        }
    )
