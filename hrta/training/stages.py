"""The stage of every run, and stages that end early at a plateau of the loss."""

from collections.abc import Sequence

import numpy as np

from hrta.schedules import Plateau, PlateauTracker, Schedule, Stage


class Stages:
    """The schedules of R runs; a plateau rule changes them.

    The rule is applied to the loss of every logged row. The row of step t is the loss before update
    t + 1; if it completes a plateau, the stage ends after that update. The remaining steps of the
    stage are added to the last stage, so the total number of steps does not change.

    Attributes:
        schedules: the schedule of each run, with the plateaus found so far.
    """

    def __init__(self, schedules: Sequence[Schedule], plateau: Plateau | None) -> None:
        self.schedules = list(schedules)
        self._plateau, self._rule = plateau, plateau or Plateau()
        self._trackers = [(1, PlateauTracker(self._rule)) for _ in schedules]

    def s_at(self, step: int) -> np.ndarray:
        """The homotopy parameter of update `step` + 1 of each run."""
        s = {each: each.s_at(step) for each in set(self.schedules)}
        return np.array([s[each] for each in self.schedules])

    def switch_at(self, step: int) -> np.ndarray:
        """Whether each run begins a later stage at this step, [R]."""
        return np.array([step in each.switches for each in self.schedules])

    def next_end(self, step: int, log_every: int) -> int:
        """The first step after this one at which a stage ends, or may end by the plateau rule."""
        candidates = [each.steps for each in self.schedules[:1]]
        for each in set(self.schedules):
            candidates += [switch for switch in each.switches if switch > step][:1]
        if self._plateau is not None:
            next_row = -(-step // log_every) * log_every
            trackers = (self._tracker(run, step) for run in range(len(self.schedules)))
            rows = [self._plateau.patience - each.waited for each in trackers if each is not None]
            candidates += [next_row + (count - 1) * log_every + 1 for count in rows]
        return min(candidates)

    def apply_plateau(self, step: int, losses: np.ndarray) -> None:
        """End the stages whose plateau the losses [R] of this logged row complete."""
        if self._plateau is None:
            return
        for run, loss in enumerate(losses.tolist()):
            tracker = self._tracker(run, step)
            if tracker is not None and tracker.update(loss):
                self.schedules[run] = _end_early(self.schedules[run], step + 1)

    def _tracker(self, run: int, step: int) -> PlateauTracker | None:
        """The plateau tracker of the run's stage at this step; None in the last stage."""
        stage = self.schedules[run].stage_at(step)
        if stage == len(self.schedules[run].stages):
            return None
        if stage != self._trackers[run][0]:
            self._trackers[run] = (stage, PlateauTracker(self._rule))
        return self._trackers[run][1]


def _end_early(schedule: Schedule, end: int) -> Schedule:
    """The schedule in which the stage of update `end` ends after it and the last is longer."""
    stage = schedule.stage_at(end - 1)
    start = [0, *schedule.switches][stage - 1]
    stages = list(schedule.stages)
    remaining = start + stages[stage - 1].steps - end
    stages[stage - 1] = Stage(stages[stage - 1].s, end - start)
    stages[-1] = Stage(stages[-1].s, stages[-1].steps + remaining)
    return Schedule(stages)
