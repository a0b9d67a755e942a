"""The critical path of a run, and simulated runs on other numbers of cores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from math import nan

import pandas as pd


@dataclass(frozen=True)
class Task:
    """A job as the profile needs it.

    Attributes:
        name: its first output, or its rule.
        kind: what it is listed under.
        total: wall time [s].
        needs: places, in the list of tasks, of those whose outputs it reads; each once.
        work: wall time of the computation, after the imports [s]; NaN if not recorded.
        memory: largest resident memory [MB]; NaN if not measured.
        threads: cores that it occupies.
        priority: in the workflow.
    """

    name: str
    kind: str
    total: float
    needs: tuple[int, ...] = ()
    work: float = nan
    memory: float = nan
    threads: int = 1
    priority: int = 0

    @property
    def core_time(self) -> float:
        """Wall time times threads [s]."""
        return self.total * self.threads


def critical_path(tasks: Sequence[Task]) -> list[Task]:
    """The chain of dependent tasks with the largest sum of times, in their order.

    With any number of cores the run takes at least this sum.
    """
    ends: dict[int, float] = {}
    last: dict[int, int | None] = {}
    graph = {place: task.needs for place, task in enumerate(tasks)}
    for place in TopologicalSorter(graph).static_order():
        last[place] = max(graph[place], key=ends.__getitem__, default=None)
        ends[place] = tasks[place].total + ends.get(last[place], 0.0)
    path, place = [], max(ends, key=ends.__getitem__, default=None)
    while place is not None:
        path.append(tasks[place])
        place = last[place]
    return path[::-1]


def needed(tasks: Sequence[Task], *wanted: int) -> list[Task]:
    """The tasks at these places and all that they need, in the order of the list."""
    found: set[int] = set()
    ahead = list(wanted)
    while ahead:
        if (place := ahead.pop()) not in found:
            found.add(place)
            ahead += tasks[place].needs
    order = {place: number for number, place in enumerate(sorted(found))}
    return [
        replace(tasks[place], needs=tuple(order[need] for need in tasks[place].needs))
        for place in order
    ]


def simulate(tasks: Sequence[Task], cores: int) -> float:
    """The wall time of a run by list scheduling [s].

    Whenever a core is free, the task with the largest priority starts of those that fit and whose
    needs have ended; of equal ones the first in the list. The time of a task does not depend on
    what runs beside it. A task with more threads than there are cores occupies all.

    Args:
        tasks: with measured times.
        cores: number of cores.
    """
    threads = [min(task.threads, cores) for task in tasks]
    missing = [len(task.needs) for task in tasks]
    users: list[list[int]] = [[] for _ in tasks]
    for place, task in enumerate(tasks):
        for need in task.needs:
            users[need].append(place)
    ready = [place for place, count in enumerate(missing) if count == 0]
    running: list[tuple[float, int]] = []
    now, free = 0.0, cores
    while ready or running:
        for place in sorted(ready, key=lambda place: (-tasks[place].priority, place)):
            if threads[place] <= free:
                free -= threads[place]
                ready.remove(place)
                heappush(running, (now + tasks[place].total, place))
        now = running[0][0]
        while running and running[0][0] == now:
            _, ended = heappop(running)
            free += threads[ended]
            for user in users[ended]:
                missing[user] -= 1
                if missing[user] == 0:
                    ready.append(user)
    return now


def schedules(tasks: Sequence[Task], cores: Iterable[int]) -> pd.DataFrame:
    """Simulated runs with these numbers of cores.

    Returns:
        A row for each number: the wall time [min], its lower bound [min] (the longer of the
        critical path and the core time over the cores), and the utilisation of the cores.
    """
    longest = sum(task.total for task in critical_path(tasks))
    rows = []
    for number in cores:
        wall = simulate(tasks, number)
        work = sum(task.total * min(task.threads, number) for task in tasks)
        bound, used = max(longest, work / number), work / (wall * number)
        rows.append({"cores": number, "wall": wall / 60, "bound": bound / 60, "used": used})
    return pd.DataFrame(rows)
