"""Which stage of its schedule every run is in, and stages that end at a plateau of the loss."""

from collections.abc import Sequence

import numpy as np

from hrta.schedules import Plateau, Schedule, Stage, Watch


class Stages:
    """The schedules of R runs, changed by the plateaus that are met.

    A plateau rule looks at the loss of every logged row. The row of step t is the loss that update
    t + 1 starts from, and a stage that ends with it ends after that update. The steps that are left
    of the stage go to the last stage, so the number of steps stays.

    Attributes:
        schedules: of each run, as far as is known.
    """

    def __init__(self, schedules: Sequence[Schedule], plateau: Plateau | None) -> None:
        self.schedules = list(schedules)
        self._plateau = plateau
        self._watched = [(1, Watch(plateau or Plateau())) for _ in schedules]

    def s_at(self, step: int) -> np.ndarray:
        """The homotopy parameter under which each run makes update `step` + 1."""
        s = {each: each.s_at(step) for each in set(self.schedules)}
        return np.array([s[each] for each in self.schedules])

    def switch_at(self, step: int) -> np.ndarray:
        """Which runs begin a later stage at that step, [R]."""
        return np.array([step in each.switches for each in self.schedules])

    def next_end(self, step: int, log_every: int) -> int:
        """The first step after this one at which a stage ends, or may end by the plateau rule."""
        ends = [each.steps for each in self.schedules[:1]]
        for each in set(self.schedules):
            ends += [switch for switch in each.switches if switch > step][:1]
        if self._plateau is not None:
            next_row = -(-step // log_every) * log_every
            rows = [self._plateau.patience - watch.waited for watch in self._watches(step)]
            ends += [next_row + (count - 1) * log_every + 1 for count in rows]
        return min(ends)

    def see(self, step: int, losses: np.ndarray) -> None:
        """End the stages whose plateau this logged row completes; losses [R]."""
        if self._plateau is None:
            return
        for run, loss in enumerate(losses.tolist()):
            watch = self._watch(run, step)
            if watch is not None and watch.ends_with(loss):
                self.schedules[run] = _ended_early(self.schedules[run], step + 1)

    def _watches(self, step: int) -> list[Watch]:
        watches = (self._watch(run, step) for run in range(len(self.schedules)))
        return [watch for watch in watches if watch is not None]

    def _watch(self, run: int, step: int) -> Watch | None:
        """The losses of the stage that the run is in at that step; None for the last stage."""
        stage = self.schedules[run].stage_at(step)
        if stage == len(self.schedules[run].stages):
            return None
        if stage != self._watched[run][0]:
            self._watched[run] = (stage, Watch(self._plateau))
        return self._watched[run][1]


def _ended_early(schedule: Schedule, end: int) -> Schedule:
    """The schedule with the stage of update `end` ended after it, and the last one longer."""
    stage = schedule.stage_at(end - 1)
    start = [0, *schedule.switches][stage - 1]
    stages = list(schedule.stages)
    spare = start + stages[stage - 1].steps - end
    stages[stage - 1] = Stage(stages[stage - 1].s, end - start)
    stages[-1] = Stage(stages[-1].s, stages[-1].steps + spare)
    return Schedule(stages)
