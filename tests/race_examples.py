"""Small races, made by hand."""

import numpy as np
import pandas as pd


def run(losses, method="a", seed=0, problem="p", width=5, **columns):
    """The rows of one run from its logged losses: ten steps, two seconds from row to row."""
    count = np.arange(len(losses))
    costs = {"step": 10 * count, "evaluations": 10.0 * count, "seconds": 2.0 * count}
    fixed = {"problem": problem, "width": width, "method": method, "seed": seed}
    return pd.DataFrame(
        fixed | costs | {"answer": True, "loss": losses, "test_loss": np.nan} | columns
    )


def grid(**columns):
    """One row for each pair, method and seed from arrays [pairs, methods, seeds]."""
    pairs, methods, seeds = np.indices(next(iter(columns.values())).shape)
    return pd.DataFrame(
        {
            "problem": np.array(["p", "q", "r", "s"])[pairs.ravel() // 2],
            "width": np.array([5, 50])[pairs.ravel() % 2],
            "method": np.array(["a", "b", "c"])[methods.ravel()],
            "seed": seeds.ravel(),
        }
        | {name: values.ravel() for name, values in columns.items()}
    )


def ended(losses, test_losses=None, seconds=None):
    """Rows as `final_race_results` makes them, from arrays [pairs, methods, seeds]."""
    losses = np.array(losses, dtype=float)
    test_losses = losses if test_losses is None else np.array(test_losses, dtype=float)
    seconds = np.ones_like(losses) if seconds is None else np.array(seconds, dtype=float)
    return grid(loss=losses, test_loss=test_losses, seconds=seconds)


def timed(times, target=0.1):
    return grid(time=np.array(times, dtype=float)).assign(target=target)
