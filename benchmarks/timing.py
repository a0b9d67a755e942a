"""Timings of contenders, interleaved so that what else the machine does hits all of them alike."""

import time

import torch

from benchmarks.cases import Case
from benchmarks.peers import Contender

# A way that is so many times slower than the best of the same engine is not timed again.
HOPELESS = 2


def time_case(
    case: Case, contenders: list[Contender], device: str, repeats: int, target: float
) -> list[dict[str, object]]:
    """Rows of the raw table.

    Every timing goes on where the last one of the same contender ended, so that what is timed is a
    training and not its first steps alone.

    Args:
        case: what the contenders train.
        contenders: each is timed once in every repeat.
        device: what they train on.
        repeats: how many timings of each.
        target: about how long one of them should take [s].
    """
    plan = [(contender, _steps(contender, target)) for contender in contenders]
    rows = []
    for repeat in range(repeats):
        for contender, steps in plan:
            seconds = _seconds(contender, steps)
            rows.append(
                {
                    "engine": contender.engine,
                    "variant": contender.variant,
                    "device": device,
                    "d": case.d,
                    "m": case.m,
                    "n": case.n,
                    "R": case.R,
                    "networks": contender.networks,
                    "threads": contender.threads,
                    "repeat": repeat,
                    "steps": steps,
                    "seconds": seconds,
                    "us": 1e6 * seconds / (contender.networks * steps),
                }
            )
        plan = _hopeful(plan, rows[-len(plan) :])
    return rows


def _hopeful(plan: list[tuple], rows: list[dict]) -> list[tuple]:
    """Those of the plan whose last timing, their row, was not far from the best of its engine."""
    best = {}
    for row in rows:
        best[row["engine"]] = min(row["us"], best.get(row["engine"], row["us"]))
    pairs = zip(plan, rows, strict=True)
    return [entry for entry, row in pairs if row["us"] < HOPELESS * best[row["engine"]]]


def _steps(contender: Contender, target: float) -> int:
    """Steps that take about the target; the first ones, which may compile, do not count."""
    steps = contender.chunk
    _seconds(contender, steps)
    # The shorter of two: a single one may have had to wait for what else the machine does.
    while (seconds := min(_seconds(contender, steps) for _ in range(2))) < target / 5:
        steps *= 5
    return contender.chunk * max(1, round(target / seconds * steps / contender.chunk))


def _seconds(contender: Contender, steps: int) -> float:
    _await_gpu()
    started = time.perf_counter()
    contender.advance(steps)
    _await_gpu()
    return time.perf_counter() - started


def _await_gpu() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
