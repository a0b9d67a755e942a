"""Real data as problems: the sets inside scikit-learn, a CSV file, or OpenML by name.

Inputs and targets are standardised with the training part's mean and standard deviation, columns
that are constant there are left out. Classes are targets as they are, where a set's name ends in
_classes; elsewhere they are fitted as numbers.
"""

from pathlib import Path
from urllib.error import URLError

import numpy as np
import pandas as pd

from hrta.problems.problem import Problem

# What ships inside scikit-learn, and what is predicted there.
INCLUDED = {
    "diabetes": "progression of the disease after a year",
    "digits": "the digit, 0 to 9, from 8 x 8 pixels",
    "digits_classes": "one of ten digits; 500 points to fit, 1297 to test on",
    "wine": "the cultivar, 0 to 2, from a chemical analysis",
    "breast_cancer": "0 malignant, 1 benign",
    "iris": "the species, 0 to 2",
}
# How the names of sets with classes end.
CLASSES = "_classes"
TEST_FRACTION = 0.2
# Of a set with classes: deep networks on all points would take hours where these take minutes.
CLASS_POINTS = 500


def load(name: str, seed: int = 0) -> Problem:
    """A set that ships inside scikit-learn; needs no network.

    Args:
        name: one of INCLUDED.
        seed: of the split in training and test points.

    Raises:
        ValueError: an unknown name; the message lists those that exist.
    """
    if name not in INCLUDED:
        raise ValueError(f"unknown data set {name!r}; there are {', '.join(INCLUDED)}")
    from sklearn import datasets

    data = getattr(datasets, f"load_{name.removesuffix(CLASSES)}")(as_frame=True)
    return _problem(name, data.data, data.target, seed, classes=name.endswith(CLASSES))


def read_csv(path: str | Path, target: str, seed: int = 0) -> Problem:
    """A CSV file with a header; every column but the target is an input.

    Args:
        path: the file.
        target: name of the column to predict.
        seed: as for `load`.

    Raises:
        ValueError: a file that is missing or no CSV, no such column, text, missing values, or too
            few rows; the message says where.
    """
    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not a readable CSV ({error})") from None
    if target not in table:
        raise ValueError(f"{path}: no column {target!r}; there are {', '.join(table.columns)}")
    return _problem(Path(path).stem, table.drop(columns=target), table[target], seed)


def fetch_openml(name: str, seed: int = 0) -> Problem:
    """A set from openml.org by its name; needs a network the first time.

    Raises:
        ValueError: no such set, no network, or a set that is not all numbers.
    """
    from sklearn.datasets import fetch_openml as fetch

    try:
        data = fetch(name, version="active", as_frame=True, parser="pandas")
    except (URLError, OSError, ValueError) as error:
        raise ValueError(f"OpenML {name!r}: not available ({error})") from None
    return _problem(name, data.data, data.target, seed)


def _problem(
    name: str, x: pd.DataFrame, y: pd.Series, seed: int, *, classes: bool = False
) -> Problem:
    table = pd.concat([x, y.rename("target " + str(y.name))], axis=1)
    for column in table:
        values = pd.to_numeric(table[column], errors="coerce")
        wrong = np.flatnonzero(~np.isfinite(values.astype(float)))
        if len(wrong):
            given = table[column].iloc[wrong[0]]
            raise ValueError(
                f"{name}: column {str(column).removeprefix('target ')!r}, row {wrong[0] + 1}: "
                f"'{given}' must be a number"
            )
        table[column] = values.astype(float)
    order = np.random.default_rng(seed).permutation(len(table))
    test = len(table) - CLASS_POINTS if classes else round(TEST_FRACTION * len(table))
    if test < 1 or len(table) - test < 2:
        raise ValueError(f"{name}: {len(table)} rows given; at least 3 are needed")
    values = table.to_numpy()[order]
    mean, deviation = values[test:].mean(axis=0), values[test:].std(axis=0)
    if deviation[-1] == 0:
        raise ValueError(f"{name}: the target is constant on the training points")
    varies = deviation[:-1] > 0
    if not varies.any():
        raise ValueError(f"{name}: every input is constant on the training points")
    y = values[:, -1]
    values = (values - mean) / np.where(deviation > 0, deviation, 1)
    x, y = values[:, :-1][:, varies], y if classes else values[:, -1]
    count = int(y.max()) + 1 if classes else None
    return Problem(name, x[test:], y[test:], x[:test], y[:test], count)
