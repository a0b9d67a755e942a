"""How the contestants of a race are trained: a module for each, by the name of its trainer.

Each has `train(problem, networks, contestant, candidates, rules, seeds)`, which trains every one of
the two-layer networks given, with a candidate for each run that may differ in the learning rate and
nothing else; the seeds are for whatever else is drawn. It returns a table of run, step, evaluations
(of the gradient on all points), seconds (of one run), loss and, with a test set, test_loss, a row
for each run and logged step; and answer, if not all rows have the activation that the method ends
with. Losses are 1/(2n) sum of squares, whatever is minimised, and infinite once a run has diverged.
"""

import time

import pandas as pd


def timed(history: pd.DataFrame, started: float, evaluations: float = 1.0) -> pd.DataFrame:
    """With evaluations, so many at each step, and a run's share of the time since."""
    runs, steps = history["run"].max() + 1, history["step"].max()
    each = (time.perf_counter() - started) / (runs * steps)
    return history.assign(evaluations=history["step"] * evaluations, seconds=history["step"] * each)
