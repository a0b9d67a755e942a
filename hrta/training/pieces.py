"""A training in pieces: each without a switch of s, and at the end of each a checkpoint."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hrta.networks.two_layer import TwoLayer
from hrta.runtime.checkpoints import Checkpoint, State
from hrta.schedules import Schedule
from hrta.training.arguments import Observer
from hrta.training.branches import branches, firsts
from hrta.training.engines.engine import Engine
from hrta.training.minibatches import Minibatches

Progress = Callable[[int, int], None]

# Training goes on for that part of the steps without a word of its progress.
PIECES = 20


@dataclass(frozen=True)
class Plan:
    """Training in pieces, in each of which every run has one s.

    Attributes:
        pieces: first and last step of each, [pieces].
        s: of each run, [pieces, R].
        same: which runs are still the same, as `hrta.training.branches.branches` numbers them,
            [pieces, R].
    """

    pieces: list[tuple[int, int]]
    s: np.ndarray
    same: np.ndarray

    def told_apart(self, done: int) -> np.ndarray:
        """The runs that an engine has which has done so many pieces, one for each branch."""
        return firsts(self.same[max(0, done - 1)])


def make_plan(
    networks: TwoLayer,
    schedules: list[Schedule],
    learning_rates: np.ndarray,
    batches: Minibatches | None,
    observe_at: Sequence[int],
) -> Plan:
    """Pieces without a switch or an observation inside, short enough to tell of progress."""
    steps = schedules[0].steps
    switches = {switch for schedule in schedules for switch in schedule.switches}
    ends = sorted({*range(0, steps, max(1, steps // PIECES)), *switches, *observe_at, 0, steps})
    pieces = list(pairwise(ends))
    s = np.array([[schedule.s_at(first) for schedule in schedules] for first, _ in pieces])
    batch_seeds = None if batches is None else batches.seeds
    return Plan(pieces, s, branches(networks, learning_rates, s, batch_seeds))


def go_through(
    running: Engine,
    plan: Plan,
    factors: np.ndarray,
    logged: np.ndarray,
    restarts: list[Schedule],
    observe: Observer | None,
    observe_at: set[int],
    progress: Progress | None,
    preserve_function: bool,
    checkpoint: Checkpoint | None,
    kept: State,
) -> tuple[np.ndarray, np.ndarray]:
    """Take the engine through all pieces that are left.

    Args:
        running: with the runs that are told apart after the pieces done so far.
        plan: the pieces.
        factors: of the learning rate at each step, [T].
        logged: at which steps the losses are wanted, [T].
        restarts: schedules of all runs at whose switches the optimizer starts afresh, or none.
        observe, observe_at, progress, preserve_function: as for `hrta.train`.
        checkpoint: where to keep the state after each piece.
        kept: what was found there.

    Returns:
        Loss and test loss of the logged steps and of the last, [R, logged + 1] each.
    """
    steps, logs, done = len(factors), [], int(kept.get("pieces", 0))
    if done:
        running.restore(kept)
        logs.append((kept["losses"], kept["test_losses"]))
    if progress is not None:
        progress(plan.pieces[done][0], steps)
    if 0 in observe_at:
        observe(0, of_all_runs(running, plan.same[0]))
    for piece, (first, last) in enumerate(plan.pieces[done:], start=done):
        same = plan.same[piece]
        each = firsts(same)
        if len(each) > len(running.diverged):
            running.branch(plan.same[piece - 1][each])
        if preserve_function and piece and (plan.s[piece] != plan.s[piece - 1]).any():
            running.preserve(plan.s[piece - 1, each], plan.s[piece, each])
        if restarts:
            running.reset(np.array([first in restarts[run].switches for run in each]))
        losses = running.advance(plan.s[piece, each], factors[first:last], logged[first:last])
        logs.append([of_branches[same] for of_branches in losses])
        if last in observe_at:
            observe(last, of_all_runs(running, same))
        if checkpoint is not None and last < steps:
            checkpoint.offer(lambda done=piece + 1: _state(running, done, logs))
        if progress is not None:
            progress(last, steps)
    final = running.measure(plan.s[-1, each])
    logs.append([of_branches[same, None] for of_branches in final])
    return _joined(logs)


def of_all_runs(running: Engine, same: np.ndarray) -> TwoLayer:
    """The networks as they are now, those that are the same so far repeated."""
    networks = running.networks()
    return TwoLayer(networks.inner[same], networks.outer[same])


def _joined(logs: list[Sequence[np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.concatenate(parts, axis=1) for parts in zip(*logs, strict=True))


def _state(running: Engine, done: int, logs: list[Sequence[np.ndarray]]) -> State:
    losses, test_losses = _joined(logs)
    reached = {"pieces": np.array(done), "losses": losses, "test_losses": test_losses}
    return running.state() | reached
