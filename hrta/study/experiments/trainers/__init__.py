"""How the methods of a race are trained: a module for each, by the name of its trainer.

Each has `train(problem, width, method, candidates, budget, seeds)`, which trains a network of
that width for each candidate and seed; the candidates may differ in the learning rate and nothing
else. Two-layer networks with the same seed start from the same weights. It returns a table of run,
step, evaluations (of the gradient on all points), seconds (of one run), loss and, with a test set,
test_loss and, for classes, test_error, a row for each run and logged step; and answer, if not all
rows have the activation that the method ends with. Losses are 1/(2n) sum of squares, whatever is
minimised, for classes the mean cross-entropy, and infinite once a run has diverged.
"""

import time

import pandas as pd


def timed(history: pd.DataFrame, started: float, evaluations: float = 1.0) -> pd.DataFrame:
    """With evaluations, so many at each step, and a run's share of the time since."""
    runs, steps = history["run"].max() + 1, history["step"].max()
    each = (time.perf_counter() - started) / (runs * steps)
    return history.assign(evaluations=history["step"] * evaluations, seconds=history["step"] * each)
