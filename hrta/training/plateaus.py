"""Training whose stages end when the loss falls no further."""

from collections.abc import Sequence

import pandas as pd

from hrta.networks.two_layer import TwoLayer
from hrta.problems.problem import Problem
from hrta.schedules import Plateau, Schedule, Stage, Watch
from hrta.training.arguments import one_schedule_per_run
from hrta.training.two_layer import Training, train


def train_with_plateaus(
    problem: Problem,
    networks: TwoLayer,
    schedule: Schedule | Sequence[Schedule],
    plateau: Plateau,
    **options: object,
) -> Training:
    """`hrta.train`, each stage of each run ending after its steps or at a plateau before that.

    The rule looks at the loss of every logged row (`log_every` steps apart), and what a stage
    leaves of its steps the last one has: the number of steps stays. Each switch costs a training
    from the start, which is the same, bit by bit, up to there.

    Args:
        problem, networks, schedule: as for `hrta.train`.
        plateau: when a stage ends.
        options: the other arguments of `hrta.train`, by name.

    Returns:
        As `hrta.train`; its history tells where the stages ended.

    Raises:
        ValueError: as `hrta.train`.
    """
    schedules = one_schedule_per_run(schedule, networks.runs)
    for stage in range(1, max(len(each.stages) for each in schedules)):
        history = train(problem, networks, schedules, **options).history
        own = (runs for _, runs in history.groupby("run"))
        schedules = [
            _ended_early(each, stage, runs, plateau)
            for each, runs in zip(schedules, own, strict=True)
        ]
    return train(problem, networks, schedules, **options)


def _ended_early(schedule: Schedule, stage: int, history: pd.DataFrame, rule: Plateau) -> Schedule:
    """The schedule with the stage of that number shorter, if the rule ends it, the last longer."""
    if stage >= len(schedule.stages):
        return schedule
    start = [0, *schedule.switches][stage - 1]
    watch = Watch(rule)
    rows = history.loc[history["stage"] == stage, ["step", "loss"]]
    # The row of step t tells the loss that update t + 1 starts from.
    ends = (step + 1 - start for step, loss in rows.to_numpy() if watch.ends_with(loss))
    stages = list(schedule.stages)
    steps = int(next(ends, stages[stage - 1].steps))
    stages[-1] = Stage(stages[-1].s, stages[-1].steps + stages[stage - 1].steps - steps)
    stages[stage - 1] = Stage(stages[stage - 1].s, steps)
    return Schedule(stages)
