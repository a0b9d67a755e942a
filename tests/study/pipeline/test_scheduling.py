from itertools import pairwise
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrta.study.pipeline.scheduling import Task, critical_path, needed, schedules, simulate


def task(total, *needs, **more):
    return Task(f"{total}", "kind", float(total), needs, **more)


# A diamond: 1 s, then 2 s and 5 s side by side, then 3 s.
DIAMOND = [task(1), task(2, 0), task(5, 0), task(3, 1, 2)]


@st.composite
def graphs(draw):
    """Tasks in random order that need some of the others, without cycles."""
    number = draw(st.integers(1, 8))
    order = draw(st.permutations(range(number)))
    threads = st.integers(1, draw(st.sampled_from([1, 3])))
    tasks = [None] * number
    for rank, place in enumerate(order):
        earlier = st.sampled_from(order[:rank] or [0])
        tasks[place] = task(
            draw(st.integers(0, 9)),
            *draw(st.lists(earlier, unique=True, max_size=min(rank, 3))),
            threads=draw(threads),
            priority=draw(st.integers(0, 2)),
        )
    return tasks


def test_the_critical_path_is_the_longest_chain():
    assert critical_path(DIAMOND) == [DIAMOND[0], DIAMOND[2], DIAMOND[3]]
    assert critical_path([task(4), task(7), task(1, 0), task(2, 0)]) == [task(7)]
    # In any order of the list.
    assert critical_path([task(3, 1), task(2, 2), task(1)]) == [task(1), task(2, 2), task(3, 1)]


def test_a_task_is_cut_out_with_all_that_it_needs():
    assert needed(DIAMOND, 3) == DIAMOND
    assert needed(DIAMOND, 2) == [task(1), task(5, 0)]
    assert needed(DIAMOND, 1, 0, 1) == [task(1), task(2, 0)]
    # In any order of the list.
    assert needed([task(3, 1), task(2, 3), task(9), task(1)], 0) == [
        task(3, 1),
        task(2, 2),
        task(1),
    ]


@pytest.mark.parametrize(("cores", "wall"), [(1, 11), (2, 9), (1000, 9)])
def test_a_diamond_takes_its_sum_on_one_core_and_its_critical_path_on_two(cores, wall):
    assert simulate(DIAMOND, cores) == wall


@pytest.mark.parametrize(
    ("priority", "wall"),
    [(0, 6), (1, 4)],  # after the short ones, and beside them
)
def test_the_larger_priority_starts_first(priority, wall):
    tasks = [*(task(1) for _ in range(4)), task(4, priority=priority)]
    assert simulate(tasks, 2) == wall
    assert simulate(tasks, 1) == 8


def test_a_task_waits_until_its_threads_are_free_and_smaller_ones_pass_it():
    tasks = [task(2), task(3, threads=2), task(1)]
    assert simulate(tasks, 2) == 5
    assert simulate(tasks, 3) == 3
    assert simulate(tasks, 1) == 6  # it occupies the only core


def test_tasks_that_end_together_free_their_successors_together():
    # All are ready at 1 s; those with priority start, though task 0 is the first that ends.
    later = [task(5, 1, priority=1), task(5, 1, priority=1)]
    assert simulate([task(1), task(1), task(1, 0), *later, task(5, 3, 4)], 2) == 11


def test_schedules_have_wall_time_bound_and_utilisation():
    table = schedules(DIAMOND, [1, 2])
    assert table["cores"].tolist() == [1, 2]
    assert table["wall"].tolist() == pytest.approx([11 / 60, 9 / 60])
    assert table["bound"].tolist() == pytest.approx([11 / 60, 9 / 60])
    assert table["used"].tolist() == pytest.approx([1, 11 / 18])


@given(graphs())
def test_the_critical_path_is_a_chain_and_no_task_ends_later(tasks):
    path = critical_path(tasks)
    places = [next(i for i, each in enumerate(tasks) if each is step) for step in path]
    assert not path[0].needs
    assert all(first in tasks[then].needs for first, then in pairwise(places))
    single = [task(each.total, *each.needs) for each in tasks]
    assert sum(each.total for each in path) == simulate(single, len(tasks))


@given(graphs(), st.integers(1, 5))
def test_the_wall_time_is_within_its_bounds(tasks, cores):
    wall = simulate(tasks, cores)
    longest = sum(each.total for each in critical_path(tasks))
    work = sum(each.total * min(each.threads, cores) for each in tasks)
    assert wall >= longest
    assert wall * cores >= work
    assert wall <= sum(each.total for each in tasks)
    if max(each.threads for each in tasks) == 1:
        # Graham, Bounds on multiprocessing timing anomalies, 1969.
        assert wall <= work / cores + (1 - 1 / cores) * longest + 1e-9
    if cores == 1:
        assert isclose(wall, work)
