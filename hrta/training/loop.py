"""The training loop: stages, shared prefixes, logging, observation, checkpoints."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from hrta.runtime.arguments import as_number
from hrta.runtime.arrays import as_float64, digest
from hrta.runtime.checkpoints import Checkpoint, State
from hrta.training.branches import first_branches, firsts, split
from hrta.training.engines.engine import Engine
from hrta.training.engines.state import as_array, check_array
from hrta.training.objectives.objective import Objective
from hrta.training.stages import Stages
from hrta.training.task import Progress, Task

Observer = Callable[[int, Any], None]

# The options that are part of the identity of a checkpoint and the same for all runs.
OPTIONS = (
    *("optimizer", "momentum", "log_every", "decay", "reset_optimizer", "preserve_function"),
    *("fixed_outer", "batch_size"),
)
# Minimal number of pieces, that is of reports of progress.
PIECES = 20


@dataclass(frozen=True, eq=False)
class Training:
    """What `hrta.train` returns.

    Attributes:
        history: tidy table of run, step, stage, s, loss and the other measures of the objective, a
            row for each run and logged step.
        networks: the trained networks, of the same type as the initial ones.
        diverged: the runs that diverged, and the step at which the loss of each was first
            non-finite. From that step on the weights are not changed, and the losses in the history
            are infinite.
        engine: the name of the engine.
        skip: for two-layer regression the coefficients c [R, d + 1] float64 of the skip term
            c . (x, 1) that function-preserving switches have added; 0 without them.
    """

    history: pd.DataFrame
    networks: Any
    diverged: dict[int, int]
    engine: str
    skip: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Monitoring:
    """Observation, progress and checkpoint of a training; see `hrta.train` for the attributes.

    Raises:
        ValueError: an argument of another type, observe_at without observe, or observe together
            with a checkpoint.
    """

    observe: Observer | None = None
    observe_at: Sequence[int] = ()
    progress: Progress | None = None
    checkpoint: str | Path | None = None

    def __post_init__(self) -> None:
        if self.observe is not None and self.checkpoint is not None:
            raise ValueError(
                "train: observe and checkpoint must not be given together: a resumed training "
                "would not repeat the observations"
            )
        for name in ("observe", "progress"):
            function = getattr(self, name)
            if function is not None and not callable(function):
                raise ValueError(f"train: {name} must be a function; it is {function!r}")
        if not isinstance(self.checkpoint, str | Path | None):
            raise ValueError(f"train: checkpoint must be a path; it is {self.checkpoint!r}")
        if not isinstance(self.observe_at, Collection):
            raise ValueError(f"train: observe_at must be several steps; it is {self.observe_at!r}")
        if len(self.observe_at) and self.observe is None:
            raise ValueError("train: observe must be given with observe_at")

    def check(self, steps: int) -> None:
        """Raise a ValueError if observe_at has a value that is not a step."""
        numbers = [(step, as_number(step)) for step in self.observe_at]
        outside = [step for step, n in numbers if not (0 <= n <= steps and n.is_integer())]
        if outside:
            raise ValueError(
                f"train: observe_at must be steps in [0, {steps}]; one is {outside[0]}"
            )


class Loop:
    """A training in pieces of steps; switches of s and observations are between pieces.

    The engine trains one run of each branch. When the s of the runs of a branch begin to differ,
    the branch is split, and the engine continues with copies of its run.

    Args:
        objective: the objective to minimise.
        task: problem, networks, schedules and options.
        monitoring: observation, progress and checkpoint.

    Raises:
        BrokenCheckpointError, ForeignCheckpointError: the checkpoint is incomplete or belongs to
            another training.
    """

    def __init__(self, objective: Objective, task: Task, monitoring: Monitoring) -> None:
        self._objective, self._task, self._monitoring = objective, task, monitoring
        self._engine = objective.make_engine(task)
        if not np.isfinite(as_float64(self._engine.state.parameters)).all():
            raise ValueError("train: networks must have finite weights")
        self._stages = Stages(task.schedules, task.plateau)
        self._logged = np.arange(task.steps) % task.log_every == 0
        self._factors = objective.decay_factors(task)
        self._measured: list[np.ndarray] = []
        self._checkpoint = None
        saved: State = {}
        if monitoring.checkpoint is not None:
            training = identity(objective, task, self._engine)
            self._checkpoint = Checkpoint(monitoring.checkpoint, training)
            saved = self._checkpoint.load()
        if self._checkpoint is not None and saved:
            self._resume(self._checkpoint, saved)
        else:
            self._branches = self._first_branches()
            self._engine.branch(firsts(self._branches))

    def run(self) -> Training:
        """Train all remaining pieces."""
        task, engine = self._task, self._engine
        self._report()
        self._observe()
        while (step := engine.state.step) < task.steps:
            s = self._begin_piece(step)
            last = self._end_of_piece(step)
            piece = slice(step, last)
            measured = engine.advance(s, self._factors[piece], self._logged[piece])
            self._record(measured[:, self._branches], step)
            self._observe()
            if self._checkpoint is not None and last < task.steps:
                self._checkpoint.offer(self._state)
            self._report()
        s = self._stages.s_at(task.steps)[firsts(self._branches)]
        self._measured.append(engine.measure(s)[:, self._branches, None])
        diverged = engine.diverged[self._branches]
        return Training(
            history=self._history(),
            networks=engine.networks(self._branches),
            diverged={run: int(step) for run, step in enumerate(diverged) if step >= 0},
            engine=engine.name,
            skip=None if engine.state.skip is None else engine.state.skip[self._branches],
        )

    def _first_branches(self) -> np.ndarray:
        task, runs = self._task, np.arange(self._task.runs)
        if not self._objective.shares_prefixes:
            return runs
        seeds = self._objective.seeds_of_runs(task)
        parameters = as_array(self._engine.state.parameters)
        return first_branches(parameters, task.learning_rate, runs * 0 if seeds is None else seeds)

    def _begin_piece(self, step: int) -> np.ndarray:
        """Split branches, switch s and reset optimizers; returns s of the engine's runs."""
        task, engine, before = self._task, self._engine, self._branches
        s, previous = self._stages.s_at(step), self._stages.s_at(max(0, step - 1))
        restarted = self._stages.switch_at(step) & task.reset_optimizer
        if self._objective.shares_prefixes:
            self._branches = split(before, s, restarted)
        runs = firsts(self._branches)
        if len(runs) > len(engine.state.runs):
            engine.branch(before[runs])
        if task.preserve_function and (s != previous).any():
            engine.preserve(previous[runs], s[runs])
        if restarted.any():
            engine.reset(restarted[runs])
        return s[runs]

    def _end_of_piece(self, step: int) -> int:
        length = min(max(1, self._task.steps // PIECES), self._engine.longest_piece)
        observed = [at for at in self._monitoring.observe_at if at > step]
        regular = (step // length + 1) * length
        return int(min(self._stages.next_end(step, self._task.log_every), regular, *observed))

    def _record(self, measured: np.ndarray, first: int) -> None:
        """Store the measures [K, R, rows] of a piece, and apply the plateau rule."""
        self._measured.append(measured)
        log_every = self._task.log_every
        next_row = -(-first // log_every) * log_every
        for row, losses in enumerate(measured[0].T):
            self._stages.apply_plateau(next_row + row * log_every, losses)

    def _report(self) -> None:
        if self._monitoring.progress is not None:
            self._monitoring.progress(self._engine.state.step, self._task.steps)

    def _observe(self) -> None:
        step, observe = self._engine.state.step, self._monitoring.observe
        if observe is not None and step in self._monitoring.observe_at:
            observe(step, self._engine.networks(self._branches))

    def _state(self) -> State:
        measured = np.concatenate(self._measured, axis=2)
        engine = self._engine.state.arrays()
        return {**engine, "branches": self._branches, "measured": measured}

    def _resume(self, checkpoint: Checkpoint, saved: State) -> None:
        try:
            self._engine.restore(saved)
            branches = len(self._engine.state.runs)
            check_array("branches", saved, np.int64, (self._task.runs,))
            if not np.array_equal(np.unique(saved["branches"]), range(branches)):
                raise ValueError(f"branches must be 0 to {branches - 1}")
            rows = int(np.count_nonzero(self._logged[: self._engine.state.step]))
            shape = (self._engine.measures, self._task.runs, rows)
            check_array("measured", saved, np.float64, shape)
        except ValueError as error:
            raise checkpoint.broken(error) from None
        self._branches = saved["branches"]
        self._record(saved["measured"], 0)

    def _history(self) -> pd.DataFrame:
        """The tidy table of all measures."""
        task, schedules = self._task, self._stages.schedules
        measured = np.concatenate(self._measured, axis=2)
        steps = [*range(0, task.steps, task.log_every), task.steps]
        stage = {each: [each.stage_at(t) for t in steps] for each in set(schedules)}
        s = {each: np.array([each.s_at(t) for t in steps]) for each in stage}
        columns = self._objective.columns(task, measured)
        return pd.DataFrame(
            {
                "run": np.repeat(np.arange(task.runs), len(steps)),
                "step": np.tile(steps, task.runs),
                "stage": np.concatenate([stage[each] for each in schedules]),
                # If every activation has its own s: that of the last one.
                "s": np.concatenate([s[each].reshape(len(steps), -1)[:, -1] for each in schedules]),
                **{name: values.ravel() for name, values in columns.items()},
            }
        )


def identity(objective: Objective, task: Task, engine: Engine) -> dict[str, object]:
    """Everything that a training depends on, as JSON: the identity of its checkpoint."""
    seeds, parameters = objective.seeds_of_runs(task), engine.state.parameters
    schedules = list(dict.fromkeys(task.schedules))
    return {
        "objective": objective.name,
        **objective.identity(task),
        "engine": engine.name,
        "networks": digest(as_float64(parameters)),
        "dtype": str(parameters.dtype),
        "device": parameters.device.type if isinstance(parameters, Tensor) else "cpu",
        "schedules": [repr(each) for each in schedules],
        "schedule of each run": [schedules.index(each) for each in task.schedules],
        **{name: getattr(task, name) for name in OPTIONS},
        "plateau": repr(task.plateau),
        "learning rates": sorted(set(task.learning_rate.tolist())),
        "learning rate of each run": digest(task.learning_rate),
        "seeds of points": None if seeds is None else digest(np.asarray(seeds)),
    }
