"""Timings of contenders, interleaved so that other load on the machine affects all equally."""

import time

import torch

from benchmarks.cases import Case
from benchmarks.peers import Contender

# A variant that is this many times slower than the best of its engine is not timed again.
TOO_SLOW = 2


def time_case(
    case: Case, contenders: list[Contender], device: str, repeats: int, target: float
) -> list[dict[str, object]]:
    """Rows of the raw table.

    Every timing continues where the last one of the same contender ended, so that not only the
    first steps of a training are timed.

    Args:
        case: the sizes.
        contenders: each is timed once in every repeat.
        device: the device of the training.
        repeats: number of timings of each contender.
        target: approximate duration of one timing [s].
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
        plan = _fast_enough(plan, rows[-len(plan) :])
    return rows


def _fast_enough(plan: list[tuple], rows: list[dict]) -> list[tuple]:
    """The entries whose last timing, in rows, is below TOO_SLOW times the best of the engine."""
    best = {}
    for row in rows:
        best[row["engine"]] = min(row["us"], best.get(row["engine"], row["us"]))
    pairs = zip(plan, rows, strict=True)
    return [entry for entry, row in pairs if row["us"] < TOO_SLOW * best[row["engine"]]]


def _steps(contender: Contender, target: float) -> int:
    """Number of steps that takes about the target; the first steps may compile."""
    steps = contender.chunk
    _seconds(contender, steps)
    # The shorter of two: other load on the machine may have delayed one.
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
