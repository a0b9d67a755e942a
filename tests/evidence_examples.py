"""Evidence of every kind, made by hand: small, and as the verification's rules want it."""

import itertools

import numpy as np
import pandas as pd

from hrta.study.analysis.agreement import Same
from hrta.study.claims.kinds import KINDS
from hrta.study.verification.tuning import RACED

# What has two values; more would be too many rows. The other parts of a key have one.
TWICE = {
    **{"method": ["a", "b"], "variant": ["a", "b"], "kernel": ["finite", "infinite"]},
    **{"s": [1.0, 1.5], "index": [0, 1], "candidate": [0, 1], "level": [0.1, 0.01]},
    **{"coordinate": ["x1", "y"], "seed": range(12)},
}
# A machine and the code, as environment.json names them.
MACHINE = {"versions": {"torch": "1"}, "cpu": "c", "cpu_model": "6-1-1", "device": "cpu"}
MACHINE |= {"platform": "Linux-1-with-glibc2"}
MADE = {"code": "abc", "machines": [MACHINE]}
WORDS = {"experiment", "problem", "optimizer", "race", "file", "set"}


def evidence(seed=0):
    """A table for each kind; a cell has twelve seeds."""
    random = np.random.default_rng(seed)
    tables = {kind: _table(kind, random) for kind in KINDS}
    tables["tuning"] = _tuned(tables["tuning"])
    return tables


def _table(kind, random):
    values = [TWICE.get(name, ["p" if name in WORDS else 1]) for name in KINDS[kind].key]
    table = pd.DataFrame(itertools.product(*values), columns=list(KINDS[kind].key))
    for column in KINDS[kind].rules:
        table[column] = 10 ** random.normal(-2, 0.3, len(table))
    return table


def _tuned(tuning):
    """Each candidate with its own parameters, the one with the lowest losses chosen."""
    for name in ("learning_rate", "momentum", "ridge", "history_size", "recovery"):
        tuning[name] = (tuning["candidate"] + 1) / 10 if name == "learning_rate" else np.nan
    tuning["loss"] *= 10.0 ** tuning["candidate"]
    best = tuning.groupby(RACED)["candidate"].transform("min")
    return tuning.assign(chosen=tuning["candidate"] == best)


def perturbed(tables, relative, seed=1):
    """The tables with every number that is computed off by up to this part of itself."""
    random = np.random.default_rng(seed)
    copies = {}
    for kind, table in tables.items():
        computed = [c for c, rule in KINDS[kind].rules.items() if not isinstance(rule, Same)]
        factors = {c: 1 + relative * random.uniform(-1, 1, len(table)) for c in computed}
        copies[kind] = table.assign(**{c: table[c] * factor for c, factor in factors.items()})
    return copies
