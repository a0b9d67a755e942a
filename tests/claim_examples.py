"""Small evidence, made by hand, and claims about it."""

import itertools

import numpy as np
import pandas as pd

RUN = {"experiment": "e", "problem": "f", "width": 5, "optimizer": "adam", "learning_rate": 0.1}
LOSSES = {
    "table": "final_losses",
    "rule": "paired",
    "problems": "all",
    "widths": "all",
    "optimizers": "all",
    "learning_rates": "all",
    "methods": ["new"],
    "baseline": "relu",
    "measures": ["loss"],
}
RACE = {
    "table": "races",
    "rule": "paired",
    "race": "depth",
    "optimizer": "adam",
    "problems": "all",
    "widths": "all",
    "networks": "all",
    "methods": ["new"],
    "baseline": "plain",
    "measures": ["loss"],
}
CLOSED = {"table": "spectra", "rule": "every", "kernel": "infinite", "s": "all"}
FINITE = {"table": "spectra", "rule": "paired", "kernel": "finite", "s": "all"}
BOUND = {"table": "theory_rates", "rule": "every", "widths": "largest", "methods": "all"}


def claim(*judged_on, **more):
    shown = {"notebook": "notebooks/final_losses.ipynb", "target": "table_final_losses"}
    told = {"statement": "it is better", "source": "ours", "told_by": ["optimizer"]}
    return told | {"judged_on": list(judged_on), "shown": shown} | more


def content(*claims, **more):
    """What a file of claims has, as YAML reads it: these as 1, 2, ..."""
    numbered = dict(enumerate(claims, start=1))
    rules = {"paired": "over seeds", "every": "each"}
    return {"rules": rules, "labels": {"adam": "Adam"}, "claims": numbered} | more


def runs(**columns):
    """Final losses, a row for each method and seed: method=[losses], other columns as they are."""
    fixed = {name: value for name, value in columns.items() if not isinstance(value, list)}
    losses = {name: value for name, value in columns.items() if isinstance(value, list)}
    rows = [
        RUN | fixed | {"method": method, "seed": seed, "loss": loss}
        for method, each in losses.items()
        for seed, loss in enumerate(each)
    ]
    return pd.DataFrame(rows)


def against(factors, **columns):
    """A new method whose losses are ReLU's times these factors, seed by seed."""
    relu = np.geomspace(1, 100, len(factors))
    return runs(relu=list(relu), new=list(relu * factors), **columns)


def spectrum(eigenvalues, s, width=None, seed=None):
    """The rows of one matrix: all its eigenvalues, or those given as index: eigenvalue."""
    if not isinstance(eigenvalues, dict):
        eigenvalues = dict(enumerate(eigenvalues))
    matrix = {"experiment": "e", "problem": "f", "s": s, "width": width, "seed": seed}
    matrix["kernel"] = "infinite" if width is None else "finite"
    rows = [matrix | {"index": i, "eigenvalue": value} for i, value in eigenvalues.items()]
    return pd.DataFrame(rows).astype({"width": "Int64", "seed": "Int64"})


def rates(excess, width=5, **columns):
    """A stage of runs whose loss is at most `excess` times the bound, and half of it at the end."""
    fixed = {"experiment": "e", "problem": "f", "method": "relu", "stage": 1, "width": width}
    table = pd.DataFrame({"excess": excess, "seed": range(len(excess))} | fixed | columns)
    return table.assign(loss=0.5, bound=1.0).astype({"width": "Int64"})


def holm_by_hand(p):
    """Holm (1979), step by step."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    corrected, highest = [0.0] * len(p), 0.0
    for step, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - step) * p[i]))
        corrected[i] = highest
    return corrected


def sign_test_by_hand(values):
    """The two-sided p-value by enumeration of all signs."""
    values = [value for value in values if value != 0]
    below = sum(value < 0 for value in values)
    extreme = abs(2 * below - len(values))
    signs = itertools.product([-1, 1], repeat=len(values))
    return np.mean([abs(sum(each)) >= extreme for each in signs])
