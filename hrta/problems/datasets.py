"""Real data as problems: a data set of scikit-learn, a CSV file, or OpenML by name.

Inputs and targets are standardised with the mean and standard deviation of the training points.
Inputs that are constant on the training points are removed. If the name ends in _classes, the
targets are classes; otherwise they are numbers.
"""

from pathlib import Path
from urllib.error import URLError

import numpy as np

from hrta.problems.problem import Problem
from hrta.runtime.imports import needed_by

with needed_by("hrta.problems.datasets"):
    import pandas as pd

# The data sets that scikit-learn includes, and the target of each.
INCLUDED = {
    "diabetes": "progression of the disease after a year",
    "digits": "the digit, 0 to 9, from 8 x 8 pixels",
    "digits_classes": "one of ten digits; 500 training and 1297 test points",
    "wine": "the cultivar, 0 to 2, from a chemical analysis",
    "breast_cancer": "0 malignant, 1 benign",
    "iris": "the species, 0 to 2",
}
# The suffix of the names of data sets with classes.
CLASSES = "_classes"
TEST_FRACTION = 0.2
# Training points of a data set with classes: with all points a deep network would take hours.
CLASS_POINTS = 500


def load(name: str, seed: int = 0) -> Problem:
    """A data set that scikit-learn includes; needs no network connection.

    Args:
        name: one of INCLUDED.
        seed: seed of the split into training and test points.

    Raises:
        ValueError: an unknown name; the message lists the allowed ones.
    """
    if name not in INCLUDED:
        raise ValueError(f"data set: name must be one of {', '.join(INCLUDED)}; it is {name!r}")
    with needed_by("hrta.problems.datasets.load"):
        from sklearn import datasets

    data = getattr(datasets, f"load_{name.removesuffix(CLASSES)}")(as_frame=True)
    return _problem(name, data.data, data.target, seed, classes=name.endswith(CLASSES))


def read_csv(path: str | Path, target: str, seed: int = 0) -> Problem:
    """A CSV file with a header; every column but the target is an input.

    Args:
        path: the file.
        target: name of the target column.
        seed: as for `load`.

    Raises:
        ValueError: the file is missing or not a CSV, the column does not exist, a value is missing
            or not a number, or there are too few rows; the message says where.
    """
    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: not a readable CSV ({error})") from None
    if target not in table:
        raise ValueError(
            f"{path}: target must be one of {', '.join(table.columns)}; it is {target!r}"
        )
    return _problem(Path(path).stem, table.drop(columns=target), table[target], seed)


def fetch_openml(name: str, seed: int = 0) -> Problem:
    """A data set of openml.org by name; needs a network connection the first time.

    Raises:
        ValueError: the data set is not available, or a value in it is not a number.
    """
    with needed_by("hrta.problems.datasets.fetch_openml"):
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
                f"the value must be a number; it is {str(given)!r}"
            )
        table[column] = values.astype(float)
    order = np.random.default_rng(seed).permutation(len(table))
    test = len(table) - CLASS_POINTS if classes else round(TEST_FRACTION * len(table))
    if test < 1 or len(table) - test < 2:
        raise ValueError(f"{name}: there must be at least 3 rows; there are {len(table)}")
    values = table.to_numpy()[order]
    mean, deviation = values[test:].mean(axis=0), values[test:].std(axis=0)
    if deviation[-1] == 0:
        raise ValueError(f"{name}: the target must not be constant on the training points")
    varies = deviation[:-1] > 0
    if not varies.any():
        raise ValueError(f"{name}: at least one input must vary on the training points")
    y = values[:, -1]
    values = (values - mean) / np.where(deviation > 0, deviation, 1)
    x, y = values[:, :-1][:, varies], y if classes else values[:, -1]
    count = int(y.max()) + 1 if classes else None
    return Problem(name, x[test:], y[test:], x[:test], y[:test], count)
