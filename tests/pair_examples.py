"""Pairs of a reference and a fresh number, as the rules of agreement take them."""

import numpy as np
import pandas as pd

LEVEL = 1e-5
CELL = ("cell",)


def pairs(reference, fresh, cell=0):
    columns = {"cell": cell, "seed": range(len(reference)), "reference": reference, "fresh": fresh}
    return pd.DataFrame(columns)


def worst(rule, reference, fresh, check=None):
    away = rule.deviations(pairs(reference, fresh), LEVEL, CELL)
    return away.loc[away["check"].eq(check) if check else slice(None), "units"].max()


def drawn(seeds, spread=0.3, seed=0):
    return 10 ** np.random.default_rng(seed).normal(-3, spread, seeds)
